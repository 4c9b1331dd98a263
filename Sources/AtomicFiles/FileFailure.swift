public import Failures
public import Foundation
import SystemCalls

/// Why the system did not write a file, as its error number.
public struct FileFailure: Diagnostic, Hashable, Sendable {
    /// The path that was to be written, not the temporary one.
    public var path: String
    /// Such as `ENOSPC`; 0 where the disk took only a part.
    public var code: Int32

    public init(path: String, code: Int32) { (self.path, self.code) = (path, code) }

    /// The system's words for the error.
    public var reason: String { code == 0 ? "the disk took only a part" : POSIX.message(code) }
    public var place: String? { path }
    public var summary: String { "it cannot be written (\(reason))" }
    public var category: FailureCategory { .machine }
}

extension FileFailure: LocalizedError, CustomNSError {
    /// Foundation's domain of error numbers, so that a caller that knows only `NSError` reads ``errorCode`` right.
    public static var errorDomain: String { NSPOSIXErrorDomain }
    /// ``code`` as `NSError` gives it.
    public var errorCode: Int { Int(code) }
    public var errorDescription: String? { reason }
}
