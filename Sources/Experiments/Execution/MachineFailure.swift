import Audio
import Collectives
import Corpora
import Foundation
import Runs
import WeightFiles

/// Whether an error says that the machine, rather than the work, failed: a full or read-only disk, a busy store.
///
/// Such an error ends the command; what was committed stays, and the same command goes on from there.
public func isMachineFailure(_ error: any Error) -> Bool {
    switch error {
    case is GroupFailure: true
    case let error as StoreError: error.kind.isEnvironmental
    case let error as SoundFileError: if case .unwritable = error.reason { true } else { false }
    case let error as CorpusError: if case .disk = error.reason { true } else { false }
    case let error as WeightFileError: error.reason == .unwritable
    case let error as CocoaError:
        [.fileWriteOutOfSpace, .fileWriteNoPermission, .fileWriteVolumeReadOnly, .fileWriteUnknown].contains(error.code)
    case let error as POSIXError: [.ENOSPC, .EDQUOT, .EFBIG, .EROFS, .EACCES].contains(error.code)
    default: false
    }
}
