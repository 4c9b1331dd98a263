import Diffusion
import Objectives
package import Specs

// What the names of a spec stand for in the layers below it, which know no specs.

extension FramePadding {
    package init(_ name: EvaluateSpec.Padding) {
        self =
            switch name {
            case .reflection: .reflection
            case .zeroPad: .zero
            case .replication: .replication
            }
    }
}

extension ShortTimeFourier.Window {
    package init(_ name: TransformSpec.Window) {
        self =
            switch name {
            case .hann: .hann
            case .sqrthann: .sqrthann
            }
    }
}

extension DenoiserLoss.Weighting {
    init(_ name: ObjectiveSpec.Weighting) {
        self =
            switch name {
            case .one: .one
            case .sigmaSquared: .sigmaSquared
            case .edm: .edm
            }
    }
}

extension Preconditioning {
    /// The scalings of a spec.
    init(_ spec: ObjectiveSpec) {
        self.init(
            networkScaling: spec.networkScaling.map(NetworkScaling.init), input: Input(spec.cIn),
            output: Output(spec.cOut),
            skip: Skip(spec.cSkip), sigmaData: spec.sigmaData)
    }
}

extension Preconditioning.NetworkScaling {
    fileprivate init(_ name: ObjectiveSpec.NetworkScaling) {
        self =
            switch name {
            case .inverseSigma: .inverseSigma
            case .inverseTime: .inverseTime
            }
    }
}

extension Preconditioning.Input {
    fileprivate init(_ name: ObjectiveSpec.InputScaling) {
        self =
            switch name {
            case .one: .one
            case .edm: .edm
            }
    }
}

extension Preconditioning.Output {
    fileprivate init(_ name: ObjectiveSpec.OutputScaling) {
        self =
            switch name {
            case .one: .one
            case .sigma: .sigma
            case .inverseSigma: .inverseSigma
            case .edm: .edm
            }
    }
}

extension Preconditioning.Skip {
    fileprivate init(_ name: ObjectiveSpec.SkipScaling) {
        self =
            switch name {
            case .zero: .zero
            case .edm: .edm
            }
    }
}
