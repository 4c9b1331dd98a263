import CDevice
public import Failures
import Foundation

/// A library of devices, `libsgmse-torch.so`: opened once and never closed.
@safe
public struct DeviceLibrary: Sendable {
    /// The name under which the library is looked for.
    public static let fileName = "libsgmse-torch.so"

    /// A device of this machine.
    public struct Description: Hashable, Sendable {
        /// How the device is chosen, such as `cuda:0`.
        public var name: String
        /// The maker's name of it.
        public var model: String
        /// Bytes, 0 where not known.
        public var memory, freeMemory: Int
    }

    /// The file that was opened.
    public let path: String
    private let table: sgd_table

    /// - Parameter path: The library's file.
    /// - Throws: `DeviceError` where it cannot be opened or has another version of the table.
    public init(at path: String) throws(DeviceError) {
        guard let library = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw DeviceError("\(path) cannot be opened: \(unsafe String(cString: dlerror()))", Self.rebuild)
        }
        guard let symbol = unsafe dlsym(library, "sgmse_device_table"),
            let table = unsafe unsafeBitCast(symbol, to: sgd_entry.self)()
        else { throw DeviceError("\(path) is no device of sgmse", Self.rebuild) }
        let found = unsafe (abi: table.pointee.abi, size: Int(table.pointee.size))
        guard found.abi == UInt32(SGD_ABI), found.size == MemoryLayout<sgd_table>.size else {
            throw DeviceError(
                """
                \(path) was built for another version of sgmse (table \(found.abi) of \(found.size) bytes, not \
                \(SGD_ABI) of \(MemoryLayout<sgd_table>.size))
                """,
                Self.rebuild)
        }
        self.path = path
        unsafe self.table = table.pointee
    }

    private static let rebuild = "build it again with scripts/torch-plugin"

    /// The first of some folders that holds the library.
    ///
    /// - Throws: `DeviceError` where none does.
    public init(in folders: [String]) throws(DeviceError) {
        guard let folder = folders.first(where: { FileManager.default.fileExists(atPath: $0 + "/" + Self.fileName) })
        else {
            throw DeviceError(
                "no \(Self.fileName) in \(folders.joined(separator: ", "))",
                "build it with scripts/torch-plugin, or name its folder in SGMSE_PLUGINS")
        }
        try self.init(at: folder + "/" + Self.fileName)
    }

    /// The library that computes, such as `LibTorch 2.13.0`.
    public var version: String { unsafe table.version().map { unsafe String(cString: $0) } ?? "" }

    /// The devices of this machine.
    public var devices: [Description] {
        let room = 64
        var list = [sgd_description](repeating: sgd_description(), count: room)
        let count = min(room, Int(unsafe table.devices(&list, Int64(room))))
        return list.prefix(count).map { one in
            Description(
                name: Self.text(one.name), model: Self.text(one.model), memory: Int(one.memory),
                freeMemory: Int(one.free_memory))
        }
    }

    private static func text<Characters>(_ characters: Characters) -> String {
        unsafe withUnsafeBytes(of: characters) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// - Throws: `DeviceError` for a name that no device can have.
    public static func check(_ name: String) throws(DeviceError) {
        guard name == "torch-cpu" || name.wholeMatch(of: /cuda(:[0-9]{1,3})?/) != nil else {
            throw DeviceError("there is no device '\(name)'", "known: cpu, torch-cpu, cuda, cuda:N")
        }
    }

    /// Opens a device of the library, which from then on is the only one.
    ///
    /// - Parameters:
    ///   - name: `torch-cpu`, `cuda` or `cuda:N`.
    ///   - threads: Of the processor, where the device is one.
    /// - Throws: `DeviceError` where there is no such device.
    public func open(_ name: String, threads: Int) throws(DeviceError) -> Device {
        try Self.check(name)
        guard unsafe table.open(name == "torch-cpu" ? "cpu" : name, Int32(threads)) == 0 else {
            throw DeviceError(
                "device \(name): \(unsafe table.error().map { unsafe String(cString: $0) } ?? "unknown")",
                "'sgmse doctor' lists the devices of this machine")
        }
        return Device(name: name == "cuda" ? "cuda:0" : name, table: table)
    }
}

/// Why there is no such device, and what to do.
public struct DeviceError: Diagnostic, Hashable, Sendable {
    public var summary: String
    public var hint: String?

    public init(_ summary: String, _ hint: String) { (self.summary, self.hint) = (summary, hint) }

    public var category: FailureCategory { .request }
    public var description: String { line }
}
