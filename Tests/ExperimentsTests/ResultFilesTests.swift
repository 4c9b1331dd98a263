import Experiments
import SpeechMetrics
import Testing

@Suite struct ResultFilesTests {
    /// A field is quoted where RFC 4180 demands it, and the ways values were made are told apart.
    @Test func resultFilesHoldReasonsSignaturesAndConversions() {
        func outcome(_ result: Result<Double, MetricFailure>, _ conversions: [String] = []) -> MetricOutcome {
            MetricOutcome(name: "pesq", signature: "pesq|v1", result: result, conversions: conversions)
        }
        let scores = [
            ItemScores(name: "a\"b, c.wav", labels: ["noise": "cafe"], outcomes: [outcome(.success(1.5))]),
            ItemScores(name: "line\r\nbreak.wav", labels: [:], outcomes: [outcome(.failure(.noUtterances))]),
            ItemScores(
                name: "c.wav", labels: ["noise": "bus"], outcomes: [outcome(.success(2.5), ["48000 → 16000 Hz"])]),
        ]
        let files = ResultFiles(scores)
        #expect(
            files.csv == """
                filename,pesq,noise,pesq/reason,pesq/signature,pesq/conversion
                "a""b, c.wav",1.5,cafe,,pesq|v1,
                "line\r\nbreak.wav",,,no_utterances: no utterances detected in the clean signal,pesq|v1,
                c.wav,2.5,bus,,pesq|v1,48000 → 16000 Hz

                """)
        #expect(files.averages == "pesq: 2.00 ± 0.50 (n 2, 1 failed) pesq|v1; pesq|v1, 48000 → 16000 Hz in 1 file\n")
    }
}
