/// A setting of earlier versions that had no effect: a spec that writes it gets a warning, and identities keep its last
/// default, so that stored runs are still found.
public struct RetiredSetting: Sendable {
    /// The key that earlier versions read.
    public let name: String
    /// The value that identities keep for it; `nil` where it was no part of any.
    public let lastDefault: SettingValue?
    /// Why it is gone, in the words of the warning.
    public let reason: String

    public init(_ name: String, lastDefault: SettingValue? = nil, reason: String) {
        (self.name, self.lastDefault, self.reason) = (name, lastDefault, reason)
    }
}
