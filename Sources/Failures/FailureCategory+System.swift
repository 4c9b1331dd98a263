import Foundation

extension FailureCategory {
    /// Whose fault any error is; those of the system count as the machine's where they tell of a disk that is full or
    /// may not be written.
    public init(of error: any Error) {
        self =
            switch error {
            case let error as any Diagnostic: error.category
            case let error as CocoaError where Self.writing.contains(error.code): .machine
            case let error as POSIXError where Self.disk.contains(error.code): .machine
            default: .work
            }
    }

    private static let writing: Set<CocoaError.Code> = [
        .fileWriteOutOfSpace, .fileWriteNoPermission, .fileWriteVolumeReadOnly, .fileWriteUnknown,
    ]
    private static let disk: Set<POSIXErrorCode> = [.ENOSPC, .EDQUOT, .EFBIG, .EROFS, .EACCES]
}
