public import JSONValues
import Runs
import Statistics

extension ComparisonReport {
    /// The comparison as a document: one object for each system, with one for each of its cells; then the differences.
    public var json: JSON {
        let differences =
            options.baseline != nil || options.allPairs
            ? [JSON.Member("differences", .array(contrasts.map { json(of: $0) }))] : []
        return .object(
            [
                .init("systems", .array(rows.indices.map { json(ofRow: $0) })),
                .init(
                    "below_anchor",
                    .array(
                        shortfalls.map { one in
                            [
                                "system": .string(one.row), "set": .string(one.set), "N": JSON(one.steps),
                                "metric": .string(one.metric), "value": .number(one.value),
                                "anchor": .number(one.anchor),
                            ]
                        })),
            ] + differences + [.init("notes", .array(table.notes.map(JSON.string)))])
    }

    private func json(ofRow row: Int) -> JSON {
        let system = rows[row]
        let scores = columns.indices.compactMap { place in cells[row][place].map { json(of: $0, row, columns[place]) } }
        let factors = system.factors.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        return [
            "system": .string(system.label), "id": JSON(system.run?.shortID), "anchor": JSON(system.anchor),
            "status": JSON(system.run?.status.rawValue), "factors": .object(factors), "scores": .array(scores),
        ]
    }

    private func json(of cell: Cell, _ row: Int, _ column: Column) -> JSON {
        let steps = (column.factors["N"] ?? rows[row].factors["N"]).flatMap { Int($0) }
        let address: [JSON.Member] = [
            .init("set", .string(cell.set.name)), .init("set_fingerprint", .string(cell.set.fingerprint)),
            .init("N", JSON(steps)),
            .init("metric", .string(cell.metric.name)), .init("unit", .string(cell.metric.unit)),
            .init("signature", .string(cell.metric.signature)),
        ]
        let known = ["set", "N", "metric", "signature"]
        let others = column.factors.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
            .map { JSON.Member($0.key, .string($0.value)) }
        return .object(address + others + cell.summary(options).json.members)
    }

    private func json(of one: Contrast) -> JSON {
        let (result, column) = (one.comparison, columns[one.column])
        return [
            "system": .string(rows[one.row].label), "against": .string(rows[one.against].label),
            "N": JSON((column.factors["N"] ?? rows[one.row].factors["N"]).flatMap { Int($0) }),
            "set": JSON(column.factors["set"] ?? rows[one.row].factors["set"]), "metric": .string(one.metric.name),
            "difference": .number(result.mean), "lower": JSON(result.interval?.lowerBound),
            "upper": JSON(result.interval?.upperBound), "p": JSON(result.p), "p_holm": JSON(result.adjusted),
            "d_z": JSON(result.effectSize), "files": .integer(result.files),
            "clusters": .integer(result.clusters), "cluster": .string(one.unit), "seeds": .integer(result.seeds),
            "needed_clusters": JSON(result.neededClusters), "conclusion": .string(one.verdict),
        ]
    }
}

extension ScoreSummary {
    var json: JSON {
        let numbers = parts.map { part in
            JSON.Member(part.name, part.isCount ? JSON(part.value.map { Int($0) }) : JSON(part.value))
        }
        return .object(
            numbers + [
                .init("below_anchor", .bool(marks.contains(.belowAnchor))),
                .init("partial", .bool(marks.contains(.partial))),
                .init("best", .bool(marks.contains(.best))), .init("tied_with_best", .bool(marks.contains(.tied))),
            ])
    }
}
