/// The files in which weights and reference arrays travel, as plain values.
///
/// - ``NumPyFile``: one array (`.npy`).
/// - ``SafetensorsFile``: named arrays and string metadata.
/// - ``LightningCheckpoint``: a PyTorch or Lightning checkpoint (`.ckpt`, `.pt`), read without executing
///   anything in it and written so that PyTorch reads it.
///
/// Every reader treats its input as hostile: sizes are checked against the file before memory is asked
/// for, and each failure is a ``WeightFileError`` that says where and what to do.
enum WeightFiles {}
