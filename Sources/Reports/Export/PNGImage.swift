import Zlib

/// An image of at most 256 colours as a PNG file (ISO/IEC 15948), its rows unfiltered.
struct PNGImage {
    var width: Int
    var height: Int
    /// Row by row from the top, each an index into `palette`.
    var pixels: [UInt8]
    var palette: [(red: UInt8, green: UInt8, blue: UInt8)]

    var file: [UInt8] {
        precondition(pixels.count == width * height, "\(pixels.count) pixels for \(width) × \(height)")
        var header = UInt32(width).bigEndian8
        header += UInt32(height).bigEndian8
        header += [8, 3, 0, 0, 0]  // 8 bits a pixel, palette, no interlace
        var rows: [UInt8] = []
        for row in 0..<height {
            rows.append(0)  // no filter
            rows += pixels[row * width..<(row + 1) * width]
        }
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        file += Self.chunk("IHDR", header)
        file += Self.chunk("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] })
        file += Self.chunk("IDAT", Deflate.compressed(rows))
        file += Self.chunk("IEND", [])
        return file
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        var checksum = CRC32()
        checksum.update(body)
        return UInt32(data.count).bigEndian8 + body + checksum.value.bigEndian8
    }
}
