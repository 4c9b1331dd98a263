import Corpora
import Foundation
public import Parallelism

/// A corpus that a spec can name: made on the spot, or expected in a folder.
public protocol CorpusSource: Sendable {
    /// Where the corpus lies, or will lie, at a sample rate.
    func location(in root: String, sampleRate: Int) -> String
    /// The `base_dir` of the corpus at a sample rate; made below `root` where that is possible and needed.
    ///
    /// - Returns: The folder, and whether it was made now.
    func prepare(in root: String, sampleRate: Int, interruption: Interruption) throws -> (baseDir: String, isNew: Bool)
    /// Whether ``prepare(in:sampleRate:interruption:)`` makes it where it is missing.
    var isMade: Bool { get }
    /// Which speakers the corpus keeps apart, where its sets do not say.
    var split: SpeakerSplit { get }
}

extension CorpusSource {
    /// Yes, unless a source says otherwise.
    public var isMade: Bool { true }
    /// None, unless a source says otherwise.
    public var split: SpeakerSplit { SpeakerSplit() }
}

/// Speakers that a published split reserves.
public struct SpeakerSplit: Hashable, Sendable {
    /// Taken out of training where the corpus has no validation set of its own.
    public var validation: Set<String> = []
    /// Used in the test set alone.
    public var test: Set<String> = []

    public init(validation: Set<String> = [], test: Set<String> = []) {
        self.validation = validation
        self.test = test
    }
}

/// A corpus made from a recipe.
struct RecipeSource<Recipe: CorpusMaker>: CorpusSource {
    var recipe: Recipe
    /// The recipe at a rate, its folders seen from the corpora's.
    var placed: @Sendable (_ recipe: Recipe, _ root: String, _ sampleRate: Int) -> Recipe

    func location(in root: String, sampleRate: Int) -> String {
        root + "/" + placed(recipe, root, sampleRate).folderName
    }

    func prepare(in root: String, sampleRate: Int, interruption: Interruption) throws -> (baseDir: String, isNew: Bool)
    {
        let recipe = placed(recipe, root, sampleRate)
        let folder = root + "/" + recipe.folderName
        return (folder, try recipe.write(to: folder, interruption: interruption) == .made)
    }
}

/// A published corpus: a folder of its name below the corpora's, which a person puts there.
struct PublishedSource: CorpusSource {
    var name: String
    /// How to come by it, in one sentence.
    var advice: String
    var split = SpeakerSplit()
    var isMade: Bool { false }

    func location(in root: String, sampleRate: Int) -> String { root + "/" + name }

    func prepare(in root: String, sampleRate: Int, interruption: Interruption) throws -> (baseDir: String, isNew: Bool)
    {
        let folder = location(in: root, sampleRate: sampleRate)
        guard FileManager.default.fileExists(atPath: folder) else { throw CorpusError(folder, .notThere(advice)) }
        return (folder, false)
    }
}
