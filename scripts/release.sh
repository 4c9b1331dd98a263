# Shared by the scripts that install and package: the finished program, and the files that belong to it.

# toolchain: the folder of the Swift in use, which holds bin, lib and share.
toolchain() { dirname "$(dirname "$(readlink -f "$(command -v swift)")")"; }

# link FILE: builds the program, and links it with Swift's runtime inside, so that it needs no Swift where it runs.
# SwiftPM's own --static-swift-stdlib compiles everything a second time; these are the same objects.
link() {
    if [ ! -d "$(toolchain)/lib/swift_static" ]; then
        echo "error: this Swift has no static runtime at $(toolchain)/lib/swift_static; take one from https://www.swift.org/install/linux" >&2
        return 1
    fi
    swift build -c release --product sgmse >&2
    swiftc -static-stdlib -emit-executable -o "$1" "@$(swift build -c release --show-bin-path)/sgmse.product/Objects.LinkFileList" \
        -Xlinker --gc-sections -Xlinker --defsym -Xlinker main=sgmse_main -Xlinker -s \
        -lCoreFoundation -l_FoundationCShims -l_FoundationCollections -l_FoundationICU 2>&1 |
        grep -v -e 'createTemporaryFile' -e 'the use of .mktemp. is dangerous' >&2 || true
    [ -x "$1" ]
}

# stamp FILE: writes commit, day and compiler into a finished program, at the place that Sources/CBuildStamp keeps for
# them. Nothing happens where this is no checkout.
stamp() {
    commit=$(git rev-parse --verify -q HEAD 2>/dev/null) || return 0
    [ -z "$(git status --porcelain --untracked-files=no)" ] || commit="$commit+changes"
    compiler=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p')
    place=$(LC_ALL=C grep -abo 'sgmse-build-stamp:' "$1" | cut -d: -f1)
    printf '%s %s %s' "$commit" "$(git log -1 --format=%cs)" "$compiler" |
        dd of="$1" bs=1 seek=$((place + 18)) conv=notrunc status=none
}

# stage PROGRAM PREFIX: the program and its files below a prefix. Files of an earlier version that are no more are removed.
stage() {
    mkdir -p "$2/bin" "$2/share/man/man1" "$2/share/bash-completion/completions" "$2/share/zsh/site-functions" \
        "$2/share/fish/vendor_completions.d" "$2/share/doc/sgmse"
    # A program that is running is replaced, not written over.
    cp "$1" "$2/bin/.sgmse.new"
    mv "$2/bin/.sgmse.new" "$2/bin/sgmse"
    rm -rf "$2/share/sgmse/experiments"
    find experiments -type f \( -name '*.yaml' -o -name '*.md' \) -exec install -D -m 644 {} "$2/share/sgmse/{}" \;
    rm -f "$2/share/man/man1/sgmse.1" "$2/share/man/man1"/sgmse-*.1
    "$1" manual "$2/share/man/man1"
    "$1" --generate-completion-script bash > "$2/share/bash-completion/completions/sgmse"
    "$1" --generate-completion-script zsh > "$2/share/zsh/site-functions/_sgmse"
    "$1" --generate-completion-script fish > "$2/share/fish/vendor_completions.d/sgmse.fish"
    cp README.md CHANGELOG.md "$2/share/doc/sgmse/"
    licences "$2/share/doc/sgmse/licences"
}

# The libraries that the program opens when it starts, each with the Debian package that has it.
libraries="libfftw3.so.3=libfftw3-double3 libfftw3f.so.3=libfftw3-single3 libsndfile.so.1=libsndfile1 libsoxr.so.0=libsoxr0
    libsqlite3.so.0=libsqlite3-0 libcrypto.so.3=libssl3 libebur128.so.1=libebur128-1 libz.so.1=zlib1g libyaml-0.so.2=libyaml-0-2 libstdc++.so.6=libstdc++6 libgcc_s.so.1=libgcc-s1
    libc.so.6=libc6 libm.so.6=libc6 ld-linux-x86-64.so.2=libc6"

# licences FOLDER: the licences of all that is in the program, and of the libraries that it opens.
licences() {
    mkdir -p "$1"
    cp LICENSE "$1/sgmse.txt"
    cp "$(toolchain)/share/swift/LICENSE.txt" "$1/Swift.txt"
    for package in swift-argument-parser GRDB.swift swift-log; do
        cp .build/checkouts/$package/LICENSE* "$1/$package.txt"
    done
    for pair in $libraries; do
        package=${pair#*=}
        [ ! -f "/usr/share/doc/$package/copyright" ] || cp "/usr/share/doc/$package/copyright" "$1/$package.txt"
    done
    cat > "$1/README.txt" <<'TEXT'
In the program itself, each with its licence in the file of its name:
  sgmse                  MIT
  Swift                  Apache 2.0 with the Runtime Library Exception: the standard library, Foundation, Dispatch
                         (Foundation contains ICU, under the Unicode licence: https://www.unicode.org/license.txt)
  swift-argument-parser  Apache 2.0 with the Runtime Library Exception
  GRDB.swift             MIT
  swift-log              Apache 2.0
Opened when the program starts, with the licence in the file of the Debian package:
  FFTW                   GPL 2 or later (libfftw3-double3, libfftw3-single3)
  libsndfile             LGPL 2.1 or later (libsndfile1)
  libsoxr                LGPL 2.1 or later (libsoxr0)
  SQLite                 public domain (libsqlite3-0)
  OpenSSL                Apache 2.0 (libssl3)
  zlib                   zlib's licence (zlib1g)
  libyaml                MIT (libyaml-0-2)
  C and C++ libraries    LGPL 2.1, and GPL 3 with the GCC Runtime Library Exception (libc6, libstdc++6, libgcc-s1)
Opened by sgmse probe, where it is installed:
  LAPACK                 BSD with three clauses (liblapack3, libopenblas0)
FFTW is under the GPL: who passes on the program together with FFTW does so under the terms of the GPL.
TEXT
}
