import Foundation
import Testing

/// `Fixtures/reference.json`.
struct Reference: Decodable {
    struct Quantile: Decodable { var p, quantile: Double }
    struct StudentPoint: Decodable { var freedom, t, cdf: Double }
    struct StudentQuantile: Decodable { var freedom, p, quantile: Double }
    struct Holm: Decodable { var values, adjusted: [Double] }
    struct Size: Decodable {
        var effect: Double
        var units: Int
    }
    struct Sample: Decodable, CustomTestStringConvertible {
        var name: String
        var values, resampledMeans, intervalOfResampledMeans, interval: [Double]
        var clusters: [Int]
        var mean, signFlipP, tTestP, effectSize: Double
        var testDescription: String { name }
    }

    var version: String
    var normal: [Quantile]
    var student: [StudentPoint]
    var studentQuantiles: [StudentQuantile]
    var holm: Holm
    var power: [Size]
    var samples: [Sample]

    static let scipy: Reference = {
        guard let file = Bundle.module.url(forResource: "reference", withExtension: "json", subdirectory: "Fixtures"),
            let data = try? Data(contentsOf: file), let found = try? JSONDecoder().decode(Reference.self, from: data)
        else { preconditionFailure("Fixtures/reference.json cannot be read") }
        return found
    }()
}
