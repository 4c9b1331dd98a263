import Audio
import Backbones
import Corpora
import Diffusion
import Foundation
import Kernels
import Models
import Objectives
import Specs
import Tensors

extension FolderEnhancer {
    /// Everything but the input that decides an output's audio, by name; what is not named here cannot differ.
    ///
    /// - Throws: What keeps a recording of noise from being read.
    func settings() throws -> [String: String] {
        var settings = options.model
        settings["weights"] = enhancer.model.contentHash.description
        settings["sampler"] = "\(enhancer.sampler)"
        settings["guidance"] = "\(enhancer.guidance.scale)"
        settings["padding"] = enhancer.padding.rawValue
        settings["segment"] = enhancer.segments.map { "\($0.length)/\($0.overlap)" } ?? "none"
        settings["transform"] = enhancer.frontEnd.label
        settings["rate"] = "\(sampleRate)" + (options.restoresRate ? " and back" : "")
        settings["encoding"] = options.encoding.rawValue
        settings["channels"] = options.channels.rawValue
        if Precision.current != .fp32 { settings["precision"] = Precision.current.rawValue }
        settings["seed"] = "\(options.seed)"
        settings["intermediate"] = "\(options.states)"
        if let references {
            settings["reference"] = "\(references.reference.label) \(references.count)"
            if references.reference.path != nil {
                settings["reference content"] = try references.recordings().earlier.description
            }
        }
        return settings
    }
}

extension FrontEnd {
    fileprivate var label: String {
        "\(stft.size)/\(stft.hop) window \(ContentHash(of: stft.window)) \(compression)"
    }
}

extension ScoreModel {
    /// Of everything that the network's files hold: names, shapes and values of parameters and running statistics.
    var contentHash: ContentHash {
        var hasher = ContentHasher()
        let buffers = backbone.buffers.map { (name: $0.name, values: $0.tensor.values) }
        for (name, values) in weights.map({ (name: $0.name, values: $0.parameter.tensor.values) }) + buffers {
            hasher.combine(name)
            hasher.combine(ContentHash(of: values))
        }
        return hasher.finish()
    }
}
