import Audio
import Foundation
import TestFolders
import Testing

/// Files whose headers do not know how long they are, and headers that claim what cannot be.
@Suite final class PipedFileTests {
    private let owner: TestFolder
    let folder: String
    let samples = (0..<3000).map { 0.5 * sin(0.07 * Float($0)) }

    init() throws {
        owner = try TestFolder()
        folder = owner.path + "/"
    }

    /// A file whose header has other words, little-endian, at some places.
    private func file(_ words: [Int: UInt32]) throws -> String {
        let path = folder + "a.wav"
        try SoundFile.write(samples, sampleRate: 16_000, to: path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for (place, word) in words {
            bytes.replaceSubrange(place..<place + 4, with: (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) })
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test(
        arguments: [
            (0x7FFF_F000, 0x7FFF_F024), (0x7FFF_FFFF, 0x7FFF_FFFF), (0x7FFF_FFDB, 0x7FFF_FFFF),
            (0x8000_0000, 0x8000_0024),
            (0xFFFF_FFFF, 0xFFFF_FFFF), (0xFFFF_FFDB, 0xFFFF_FFFF), (2_000_000_000, 2_000_000_036), (0, 0), (0, 36),
            (0, 0xFFFF_FFFF),
        ] as [(UInt32, UInt32)])
    func aFileFromAPipeIsReadToItsEnd(data: UInt32, riff: UInt32) throws {
        let path = try file([4: riff, 40: data])
        let header = try SoundFile.header(of: path)
        #expect(header.frames == 3000 && header.isOpenEnded)
        #expect(try SoundFile.readMono(path).count == 3000)
        #expect(try SoundFile.readMono(path, frames: 2990..<3000).count == 10)
    }

    @Test func aFileThatStatesItsLengthIsNotOpenEnded() throws {
        #expect(try !SoundFile.header(of: file([:])).isOpenEnded)
    }

    /// Sizes that no program writes for want of a better one are promises.
    @Test(arguments: [6002, 1_000_000, 1_999_000_000, 0x7000_0000, 0xA000_0000] as [UInt32])
    func aFileThatPromisesMoreIsCutShort(data: UInt32) throws {
        let error = #expect(throws: SoundFileError.self) { try SoundFile.readMono(file([40: data])) }
        guard case .truncated = error?.reason else { return #expect(Bool(false), "\(error as Any)") }
    }

    @Test(arguments: [0, 1, 999, 1_000_001, 0x7FFF_FFFF] as [UInt32])
    func ratesThatNoRecordingHasAreRefused(rate: UInt32) throws {
        let error = #expect(throws: SoundFileError.self) { try SoundFile.header(of: file([24: rate, 28: rate &* 2])) }
        switch error?.reason {
        case .implausible?, .unreadable?: break
        default: #expect(Bool(false), "\(error as Any)")
        }
    }

    /// The stream information of a FLAC file has the number of samples in its last 36 bits before the checksum.
    @Test func aFLACFileThatClaimsTooMuchIsRefusedWithoutMemory() throws {
        let path = folder + "a.flac"
        try SoundFile.write(samples, sampleRate: 16_000, to: path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[21] |= 0x0F
        for place in 22..<26 { bytes[place] = 0xFF }
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: SoundFileError.self) { try SoundFile.readMono(path) }
        bytes[21] &= 0xF0
        bytes.replaceSubrange(22..<26, with: [0x00, 0x10, 0x00, 0x00])  // a million, of which 3000 are there
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: SoundFileError.self) { try SoundFile.readMono(path) }
    }
}
