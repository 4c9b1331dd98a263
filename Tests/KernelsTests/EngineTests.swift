import Kernels
import Testing

/// Tests of kernels, one after the other: the number of threads belongs to the process.
@Suite(.serialized) enum EngineTests {}

/// Runs `body` at each instruction set that this processor has, and at one and several threads.
func everyEngine(_ body: (_ engine: String) throws -> Void) rethrows {
    let (best, threads) = (Engine.useInstructionSet(-1), Engine.threads)
    defer {
        Engine.useInstructionSet(-1)
        Engine.threads = threads
    }
    for level in 0...best {
        Engine.useInstructionSet(level)
        for count in [1, 3] {
            Engine.threads = count
            try body("\(Engine.instructionSet), \(count) threads")
        }
    }
}

/// Lengths around nothing, a vector, an unrolled loop and a task.
let lengths = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 1000, 32767, 32768, 32769, 70001]

func noise(_ count: Int, _ name: String = "x") -> [Float] {
    RandomStream(seed: 7, purpose: name, count).normals(count)
}

/// `max |a − b| / max |b|`.
func deviation(_ a: [Float], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    let largest = b.reduce(1e-30) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { worst, pair in
        pair.0.isFinite ? max(worst, abs(Double(pair.0) - pair.1) / largest) : .infinity
    }
}
