import Failures
import Foundation
import Testing

@Suite struct DiagnosticTests {
    private struct Sample: Diagnostic {
        var place: String?
        var summary = "the file is empty"
        var hint: String?
        var category = FailureCategory.data
    }

    @Test func theMessageHasWhatIsThere() {
        #expect("\(Sample())" == "error: the file is empty")
        #expect("\(Sample(place: "a.wav"))" == "a.wav: error: the file is empty")
        #expect(
            "\(Sample(place: "a.wav", hint: "copy it again"))" == "a.wav: error: the file is empty\n    copy it again")
        #expect(Sample(place: "a.wav", hint: "copy it again").line == "a.wav: the file is empty; copy it again")
    }

    @Test func exitCodesFollowFromTheCategory() {
        let codes: [FailureCategory: Int32] = [
            .work: 1, .team: 1, .request: 2, .data: 3, .machine: 5, .interruption: 130,
        ]
        #expect(Set(codes.keys) == Set(FailureCategory.allCases))
        for (category, code) in codes { #expect(category.exitCode == code) }
        #expect(FailureCategory.allCases.filter(\.endsCommand) == [.machine, .team, .interruption])
    }

    @Test func errorsOfTheSystemAreTheMachinesWhereADiskRefuses() {
        #expect(
            FailureCategory(of: POSIXError(.ENOSPC)) == .machine && FailureCategory(of: POSIXError(.ENOENT)) == .work)
        #expect(FailureCategory(of: CocoaError(.fileWriteOutOfSpace)) == .machine)
        #expect(FailureCategory(of: CocoaError(.fileReadNoSuchFile)) == .work)
        #expect(FailureCategory(of: Sample()) == .data)
    }
}
