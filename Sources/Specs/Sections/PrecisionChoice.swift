public import SpecLanguage

/// How products and convolutions are computed: in single precision, with factors in TF32 on a card that has it, or with
/// factors in bfloat16 and sums in single precision.
public enum PrecisionChoice: String, SettingName { case fp32, tf32, bf16 }
