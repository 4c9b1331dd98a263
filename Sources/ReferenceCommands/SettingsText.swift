/// Paths with values as YAML, sections written out.
enum SettingsText {
    static func yaml(_ settings: [(path: String, value: String)]) -> String {
        var root = Branch()
        for (path, value) in settings { root.set(path.split(separator: ".").map(String.init)[...], value) }
        return root.lines(indent: "").joined(separator: "\n") + "\n"
    }

    private struct Branch {
        var order: [String] = []
        var leaves: [String: String] = [:]
        var branches: [String: Branch] = [:]

        mutating func set(_ path: ArraySlice<String>, _ value: String) {
            guard let head = path.first else { return }
            if !order.contains(head) { order.append(head) }
            if path.count == 1 {
                leaves[head] = value
            } else {
                branches[head, default: Branch()].set(path.dropFirst(), value)
            }
        }

        func lines(indent: String) -> [String] {
            order.flatMap { name -> [String] in
                if let branch = branches[name] { return ["\(indent)\(name):"] + branch.lines(indent: indent + "  ") }
                return ["\(indent)\(name): \(leaves[name] ?? "")"]
            }
        }
    }
}
