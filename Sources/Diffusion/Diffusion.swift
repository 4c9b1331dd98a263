/// Diffusions between clean and noisy speech, and the samplers that run them backwards.
///
/// An ``SDE`` is a handful of scalar functions of time. A ``Sampler`` applies them, with a model's score, to
/// spectrograms `[B, F, N, 2]`: batch, bins, frames, real and imaginary part. Complex noise has unit variance
/// in total, so each part has ½; `std` is always that of the complex value.
enum Diffusion {}
