#pragma once

/// What this build was made of, as scripts wrote it into the finished program; the empty string where they did not.
///
///     COMMIT[+changes] DATE SWIFT      5e083704c1… 2026-11-26 6.3.1
///
/// It is written after linking, so that a new commit is no reason to compile anything again.
const char *sg_build_stamp(void);
