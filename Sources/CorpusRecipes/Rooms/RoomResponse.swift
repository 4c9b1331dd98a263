import Foundation
package import Kernels

/// The impulse response of a room from a source to a microphone, both omnidirectional points.
///
/// Early sound by the image-source method of Allen and Berkley, *Image method for efficiently simulating small-room
/// acoustics*, JASA 65, 1979: each image of the source in the walls, up to an order, gives
///
///     β^n / (4π r) · δ(t − r/c),    β = √(1 − α)
///
/// at its exact, fractional delay. Where the order is cut, the images that are missing are replaced by noise that has
/// their energy: the images of all orders together have the expected energy
///
///     E[h²](t) = c / (4πV) · e^{−δt}    per second,
///
/// with δ of Eyring (the density of images, 4πc³t²/V, times their mean energy); what the early images have of it in a
/// window of 20 ms is taken off.
package struct RoomResponse: Sendable {
    /// The response, which begins ``lead`` samples before time 0, so that no filter is cut off.
    package let samples: [Float]

    /// Half the length of the fractional-delay filter, in samples.
    package static let lead = 40
    private static let window = 0.02

    /// - Parameters:
    ///   - order: Most reflections of an image.
    ///   - tail: Where the noise comes from; no late sound if `nil`.
    package init(
        of room: ShoeBox, from source: SIMD3<Double>, to microphone: SIMD3<Double>, order: Int, sampleRate: Int,
        tail: RandomStream?
    ) {
        let images = Image.all(of: room, source, microphone, order: order + 1)
        let early = images.filter { $0.order <= order }
        let latest = early.map(\.delay).max() ?? 0
        let seconds = tail == nil ? latest : max(latest, 1.1 * room.eyringT60)
        var response = [Double](repeating: 0, count: Int(seconds * Double(sampleRate)) + 2 * Self.lead + 2)
        for image in early { Self.add(image, to: &response, sampleRate) }
        if let tail {
            let start = images.filter { $0.order > order }.map(\.delay).min() ?? latest
            Self.addTail(room, early, from: start, tail, to: &response, sampleRate)
        }
        samples = response.map { Float($0) }
    }

    /// An image source.
    private struct Image {
        /// s.
        var delay: Double
        var amplitude: Double
        var order: Int

        static func all(of room: ShoeBox, _ source: SIMD3<Double>, _ microphone: SIMD3<Double>, order: Int) -> [Image] {
            func place(_ index: Int, _ length: Double, _ source: Double) -> Double {
                Double(index) * length + (index.isMultiple(of: 2) ? source : length - source)
            }
            var images: [Image] = []
            let reflection = (1 - room.absorption).squareRoot()
            for i in -order...order {
                for j in -(order - abs(i))...(order - abs(i)) {
                    let left = order - abs(i) - abs(j)
                    for k in -left...left {
                        let image = SIMD3(
                            place(i, room.size.x, source.x), place(j, room.size.y, source.y),
                            place(k, room.size.z, source.z))
                        let distance = max(0.01, ((image - microphone) * (image - microphone)).sum().squareRoot())
                        let count = abs(i) + abs(j) + abs(k)
                        images.append(
                            Image(
                                delay: distance / ShoeBox.speedOfSound,
                                amplitude: pow(reflection, Double(count)) / (4 * .pi * distance), order: count))
                    }
                }
            }
            return images
        }
    }

    /// A pulse between the samples: a sinc under Hann's window.
    private static func add(_ image: Image, to response: inout [Double], _ sampleRate: Int) {
        let place = image.delay * Double(sampleRate) + Double(lead)
        let centre = Int(place.rounded())
        for index in max(0, centre - lead)...min(response.count - 1, centre + lead) {
            let distance = Double(index) - place
            let sinc = abs(distance) < 1e-9 ? 1 : sin(.pi * distance) / (.pi * distance)
            let width = Double(lead) + 1
            response[index] += image.amplitude * sinc * pow(cos(.pi * distance / (2 * width)), 2)
        }
    }

    private static func addTail(
        _ room: ShoeBox, _ early: [Image], from start: Double, _ stream: RandomStream, to response: inout [Double],
        _ sampleRate: Int
    ) {
        let length = Int(window * Double(sampleRate))
        let scale = ShoeBox.speedOfSound / (4 * .pi * room.volume * Double(sampleRate))
        let count = response.count - lead
        var present = [Double](repeating: 0, count: count / length + 2)
        for image in early {
            present[min(present.count - 1, Int(image.delay / window))] += image.amplitude * image.amplitude
        }
        let noise = stream.normals(count)
        for index in Int(
            (start * Double(sampleRate)).rounded(.up))..<max(count, Int((start * Double(sampleRate)).rounded(.up)))
        {
            let time = Double(index) / Double(sampleRate)
            let missing = scale * exp(-room.decay * time) - present[index / length] / Double(length)
            if missing > 0 { response[index + lead] += missing.squareRoot() * Double(noise[index]) }
        }
    }
}
