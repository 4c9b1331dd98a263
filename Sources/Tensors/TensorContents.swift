package import Kernels
import Synchronization

/// The elements of a tensor: made, or still to be read from what they are made of.
package enum TensorContents: Sendable {
    /// - Parameter recipe: Makes the elements again from what is kept anyway; `nil` if they must be kept themselves.
    case made(FloatBuffer, recipe: (@Sendable () -> FloatBuffer)?)
    case pending(PendingMap)

    var count: Int {
        switch self {
        case .made(let buffer, _): buffer.count
        case .pending(let map): map.source.count
        }
    }

    var buffer: FloatBuffer {
        switch self {
        case .made(let buffer, _): buffer
        case .pending(let map): map.buffer
        }
    }

    var recipe: (@Sendable () -> FloatBuffer)? {
        switch self {
        case .made(_, let recipe): recipe
        case .pending(let map): map.recipe
        }
    }

    func source(channels: Int) -> MapSource {
        switch self {
        case .made(let buffer, _): MapSource(buffer, channels: channels)
        case .pending(let map): map.source
        }
    }
}

/// A map that a convolution reads from its sources, and that is made only if something else wants it.
package final class PendingMap: Sendable {
    package let source: MapSource
    private let batch, pixels: Int
    private let made = Mutex<FloatBuffer?>(nil)

    package init(_ source: MapSource, batch: Int, pixels: Int) {
        self.source = source
        self.batch = batch
        self.pixels = pixels
    }

    var buffer: FloatBuffer {
        made.withLock {
            if let buffer = $0 { return buffer }
            let buffer = source.read(batch: batch, pixels: pixels)
            $0 = buffer
            return buffer
        }
    }

    /// Reads the source again, so that what was made is not kept.
    var recipe: @Sendable () -> FloatBuffer {
        { [source, batch, pixels] in source.read(batch: batch, pixels: pixels) }
    }
}

/// A tensor kept for the backward pass: its elements, or what they are made of.
package struct Kept: Sendable {
    private enum Form: Sendable {
        case buffer(FloatBuffer)
        case recipe(@Sendable () -> FloatBuffer)
        case source(MapSource, @Sendable () -> FloatBuffer)
    }

    private let form: Form

    package init(_ tensor: Tensor) {
        form =
            switch tensor.contents {
            case .made(let buffer, nil): .buffer(buffer)
            case .made(_, let recipe?): .recipe(recipe)
            case .pending(let map): .source(map.source, map.recipe)
            }
    }

    package func restored() -> FloatBuffer {
        switch form {
        case .buffer(let buffer): buffer
        case .recipe(let make), .source(_, let make): make()
        }
    }

    /// The map as an operation reads it.
    package func source(channels: Int) -> MapSource {
        if case .source(let source, _) = form { return source }
        return MapSource(restored(), channels: channels)
    }
}
