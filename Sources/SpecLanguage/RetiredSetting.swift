/// A setting that earlier versions had and that decided nothing: a spec that writes it gets a warning, and identities
/// keep the place of its default, so that stored runs are still found.
public struct RetiredSetting: Sendable {
    public let name: String
    /// What identities hold in its place; `nil` where it was no part of any.
    public let lastDefault: SettingValue?
    /// Why it is gone, in the words of the warning.
    public let reason: String

    public init(_ name: String, lastDefault: SettingValue? = nil, reason: String) {
        (self.name, self.lastDefault, self.reason) = (name, lastDefault, reason)
    }
}
