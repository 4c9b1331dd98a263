/// The records of a TensorBoard event file.
///
/// Each record is a `tensorflow.Event` framed as TFRecord:
///
///     length: UInt64   masked crc of length: UInt32   data   masked crc of data: UInt32
///
/// with Castagnoli's checksum, masked as `rotate right by 15, plus 0xA282EAD8`. Source: `event.proto`,
/// `summary.proto`, and the description of the record format in TensorFlow's documentation.
enum EventFile {
    /// What a summary shows under its tag.
    enum Value {
        case scalar(Double)
        /// A PNG.
        case image([UInt8], width: Int, height: Int)
        /// A WAV file.
        case audio([UInt8], sampleRate: Int, frames: Int)
    }

    /// The record that opens a file.
    static func version(wallTime: Double) -> [UInt8] {
        var event = ProtobufMessage()
        event.add(1, wallTime)
        event.add(3, "brain.Event:2")
        return framed(event.bytes)
    }

    /// The record of values at a step.
    static func summary(_ values: [(tag: String, value: Value)], step: Int, wallTime: Double) -> [UInt8] {
        var summary = ProtobufMessage()
        for (tag, value) in values { summary.add(1, message(tag, value)) }
        var event = ProtobufMessage()
        event.add(1, wallTime)
        event.add(2, step)
        event.add(5, summary)
        return framed(event.bytes)
    }

    private static func message(_ tag: String, _ value: Value) -> ProtobufMessage {
        var message = ProtobufMessage()
        message.add(1, tag)
        switch value {
        case .scalar(let number): message.add(2, Float(number))
        case .image(let png, let width, let height):
            var image = ProtobufMessage()
            image.add(1, height)
            image.add(2, width)
            image.add(3, 3)  // RGB
            image.add(4, png)
            message.add(4, image)
        case .audio(let wav, let sampleRate, let frames):
            var audio = ProtobufMessage()
            audio.add(1, Float(sampleRate))
            audio.add(2, 1)
            audio.add(3, frames)
            audio.add(4, wav)
            audio.add(5, "audio/wav")
            message.add(6, audio)
        }
        return message
    }

    static func framed(_ data: [UInt8]) -> [UInt8] {
        let length = UInt64(data.count).littleEndian8
        return length + masked(length) + data + masked(data)
    }

    private static func masked(_ bytes: [UInt8]) -> [UInt8] {
        let crc = CyclicRedundancyCheck.castagnoli(bytes)
        return ((crc >> 15 | crc << 17) &+ 0xA282_EAD8).littleEndian8
    }
}
