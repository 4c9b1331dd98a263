import Kernels
import SpeechMetrics
import Tensors

extension PerceptualLoss {
    /// The loss of every pair, `[B]`.
    func losses(_ clean: Tensor, _ estimate: Tensor, on device: Device) -> Tensor {
        let found = outcomes(clean, estimate, on: device)
        let (batch, length) = (clean.shape[0], clean.shape[1])
        return Tensor(
            buffer: FloatBuffer(found.values.map(Float.init)), shape: [batch], from: [clean, estimate]
        ) { dy, sink in
            // Each row of a gradient times its pair's: a product of columns by single numbers.
            for (index, slopes) in [found.clean, found.estimate].enumerated() where sink.wants(index) {
                let gradient = multiply(
                    slopes, MatrixLayout(rows: length, columns: 1), dy.buffer, MatrixLayout(rows: 1, columns: 1),
                    batch: batch)
                sink.add(Tensor(buffer: gradient, shape: [batch, length]), to: index)
            }
        }
    }

    /// The mean loss over the pairs in which neither waveform is silent, a scalar.
    func mean(_ clean: Tensor, _ estimate: Tensor, on device: Device) -> Tensor {
        let found = outcomes(clean, estimate, on: device)
        let sounding = found.values.indices.filter { !found.isSilent[$0] }
        let share = sounding.isEmpty ? 0 : 1 / Double(sounding.count)
        let value = sounding.reduce(0) { $0 + share * found.values[$1] }
        let shape = clean.shape
        return Tensor(buffer: FloatBuffer([Float(value)]), shape: [], from: [clean, estimate]) { dy, sink in
            let weight = Float(share) * dy.item
            for (index, slopes) in [found.clean, found.estimate].enumerated() where sink.wants(index) {
                sink.add(Tensor(buffer: scale(slopes, by: weight), shape: shape), to: index)
            }
        }
    }

    private func outcomes(_ clean: Tensor, _ estimate: Tensor, on device: Device) -> PerceptualOutcomes {
        check(clean, estimate)
        return device.perceptualDistances(
            clean.buffer, estimate.buffer, tables(batch: clean.shape[0], samples: clean.shape[1]))
    }

    /// The constants of the model for waveforms of so many samples.
    private func tables(batch: Int, samples: Int) -> PerceptualTables {
        let length = analysis.resampling?.length(of: samples) ?? samples
        let impulse = [1] + [Double](repeating: 0, count: length - 1)
        let bins = BandAnalysis.size / 2 + 1
        var bandOfBin = [Double](repeating: 0, count: analysis.bands.count * bins)
        for (bin, band) in analysis.bandOfBin.enumerated() {
            if let band { bandOfBin[band * bins + bin] = analysis.scales[band] }
        }
        var tables = PerceptualTables(
            batch: batch, samples: samples, length: length, levelResponse: analysis.levelFilter(impulse),
            emphasisResponse: BandAnalysis.emphasis(impulse),
            taper: (0..<length).map { BandAnalysis.taper($0, of: length) },
            level: BandAnalysis.level, powerScale: BandAnalysis.powerScale(length), size: BandAnalysis.size,
            hop: BandAnalysis.hop,
            frames: BandAnalysis.frames(of: length), window: analysis.window, bandOfBin: bandOfBin,
            thresholds: model.thresholds,
            exponents: model.exponents, factors: model.factors, widths: model.widths, totalWidth: model.totalWidth,
            symmetricWeight: factor * PerceptualDistance.symmetricWeight,
            asymmetricWeight: factor * PerceptualDistance.asymmetricWeight)
        if let resampling = analysis.resampling {
            (tables.from, tables.starts, tables.phases) = (
                resampling.from, resampling.phases.map(\.start), resampling.phases.map(\.taps)
            )
        }
        return tables
    }
}
