import Backbones
import Specs

/// Everything a spec can name, with how it is built: an immutable value that `main` makes and passes down.
public struct Catalog: Sendable {
    public var backbones: Registry<any Backbone>

    public init(backbones: Registry<any Backbone>) {
        self.backbones = backbones
    }

    public static let standard = Catalog(backbones: .backbones)
}
