import Foundation
import Kernels
import Testing

@Suite struct RandomStreamTests {
    @Test func anAddressNamesItsNumbers() {
        let stream = RandomStream(seed: 1, purpose: "crop", 2, 3)
        #expect(stream == RandomStream(seed: 1, purpose: "crop", indices: [2, 3]))
        let others = [
            RandomStream(seed: 2, purpose: "crop", 2, 3), RandomStream(seed: 1, purpose: "crop", 3, 2),
            RandomStream(seed: 1, purpose: "time", 2, 3), RandomStream(seed: 1, purpose: "crop", 2), stream.child(0),
        ]
        for other in others { #expect(other.uniform(0) != stream.uniform(0)) }
        #expect(stream.child(4) == stream.child(4))
        #expect(stream.child(4) != stream.child(5))
    }

    @Test func aLongerDrawBeginsAsAShorterOne() {
        let stream = RandomStream(seed: 3, purpose: "noise")
        let long = stream.normals(1001)
        let uniform = stream.uniforms(1001, bound: 2)
        for count in [0, 1, 2, 7, 1000] {
            #expect(stream.normals(count) == Array(long.prefix(count)))
            #expect(stream.uniforms(count, bound: 2) == Array(uniform.prefix(count)))
        }
        #expect(uniform.allSatisfy { abs($0) <= 2 })
        let mean = uniform.reduce(0.0) { $0 + Double($1) } / 1001
        let power = uniform.reduce(0.0) { $0 + Double($1 * $1) } / 1001
        #expect(abs(mean) < 0.12)
        #expect(abs(power - 4.0 / 3) < 0.12)
    }

    @Test func uniformNumbersFillTheirRange() {
        let stream = RandomStream(seed: 4, purpose: "uniform")
        let count = 200_000
        var bins = [Int](repeating: 0, count: 20)
        var (sum, square, lag) = (0.0, 0.0, 0.0)
        var last = 0.5
        for index in 0..<count {
            let u = stream.uniform(index)
            #expect(u >= 0 && u < 1)
            bins[Int(u * 20)] += 1
            sum += u
            square += u * u
            lag += (u - 0.5) * (last - 0.5)
            last = u
        }
        let mean = sum / Double(count)
        #expect(abs(mean - 0.5) < 0.003)
        #expect(abs(square / Double(count) - 1.0 / 3) < 0.003)
        #expect(abs(lag / Double(count)) < 0.001)
        let expected = Double(count) / 20
        let chiSquared = bins.reduce(0) { $0 + pow(Double($1) - expected, 2) / expected }
        #expect(chiSquared < 43.8)  // the 99.9 % point for 19 degrees of freedom
    }

    @Test func normalNumbersAreNormal() {
        let stream = RandomStream(seed: 5, purpose: "normal")
        let count = 200_000
        for values in [stream.normals(count).map(Double.init), (0..<count).map(stream.normal)] {
            let moments = (1...4).map { power in values.reduce(0) { $0 + pow($1, Double(power)) } / Double(count) }
            #expect(abs(moments[0]) < 0.01)
            #expect(abs(moments[1] - 1) < 0.015)
            #expect(abs(moments[2]) < 0.03)
            #expect(abs(moments[3] - 3) < 0.12)
            #expect(abs(Double(values.count { $0 < -1.959964 }) / Double(count) - 0.025) < 0.0015)
        }
    }

    @Test func integersAndPermutationsAreWhole() {
        let stream = RandomStream(seed: 6, purpose: "integers")
        let counts = (0..<7000).reduce(into: [Int](repeating: 0, count: 7)) { $0[stream.integer($1, below: 7)] += 1 }
        for count in counts { #expect(abs(count - 1000) < 130) }
        for count in [0, 1, 2, 100] { #expect(stream.permutation(count).sorted() == Array(0..<count)) }
        let firsts = (0..<600).map { stream.child($0).permutation(3) }
        #expect(Set(firsts).count == 6)
    }
}
