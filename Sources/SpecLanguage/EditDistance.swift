/// The name among `known` that `name` most likely misspells, if any is near.
///
/// Near means at most two edits (insertion, deletion, substitution, or exchange of neighbours), and fewer than
/// the letters of the name itself. Case and the choice of `-` or `_` do not count. Among equals, the longest
/// common beginning wins, then the closest length.
public func nearest(to name: String, among known: [String]) -> String? {
    let wanted = folded(name)
    var best: (name: String, rank: (Int, Int, Int))?
    for candidate in known {
        let other = folded(candidate)
        guard abs(other.count - wanted.count) <= 2 else { continue }
        let distance = editDistance(wanted, other)
        guard distance == 0 || (distance <= 2 && distance < max(wanted.count, other.count)) else { continue }
        let shared = zip(wanted, other).prefix { $0 == $1 }.count
        let rank = (distance, -shared, abs(other.count - wanted.count))
        if best.map({ rank < $0.rank }) ?? true { best = (candidate, rank) }
    }
    return best?.name
}

/// Whether a name is at most one edit from the one it most likely misspells.
package func isAlmost(_ name: String, among known: [String]) -> Bool {
    nearest(to: name, among: known).map { editDistance(folded(name), folded($0)) <= 1 } ?? false
}

/// Letters as they are compared: without case, and with one kind of dash.
private func folded(_ name: String) -> [Character] {
    name.lowercased().map { $0 == "-" ? "_" : $0 }
}

/// The restricted Damerau–Levenshtein distance: one edit inserts, deletes, or replaces a letter, or exchanges two
/// neighbours.
package func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1] + [Int](repeating: 0, count: b.count)
        for j in b.indices {
            row[j + 1] = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
            }
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
