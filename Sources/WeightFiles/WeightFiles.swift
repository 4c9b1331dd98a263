/// Readers and writers of files with weights and reference arrays.
///
/// - ``NumPyFile``: one array (`.npy`).
/// - ``SafetensorsFile``: named arrays and string metadata.
/// - ``LightningCheckpoint``: a PyTorch or Lightning checkpoint (`.ckpt`, `.pt`), read without executing
///   anything in it and written so that PyTorch reads it.
///
/// Every reader treats its input as untrusted: sizes are checked against the file before memory is allocated, and each
/// failure is a ``WeightFileError`` that says where and what to do.
enum WeightFiles {}
