# Shared by the scripts: the system's packages, and the build.

packages="libsqlite3-dev libsndfile1-dev libfftw3-dev libsoxr-dev libebur128-dev libssl-dev zlib1g-dev libyaml-dev liblapack3"

# Installs what is missing; says what to do where that is not possible.
install_packages() {
    missing=""
    for package in $packages; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "error: needs these libraries with their headers (Debian names):$missing" >&2
        echo "    install them with your system's package manager and call this script again" >&2
        return 1
    fi
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "error: needs the packages$missing, and may not install them" >&2
            echo "    as root: apt-get update && apt-get install$missing" >&2
            return 1
        fi
        as_root="sudo"
    fi
    echo "installing$missing" >&2
    $as_root apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing >&2
}

require_swift() {
    command -v swift >/dev/null 2>&1 && return 0
    echo "error: needs Swift 6.3 or later; see https://www.swift.org/install/linux" >&2
    return 1
}
