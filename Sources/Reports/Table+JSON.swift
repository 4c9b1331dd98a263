public import JSONValues

/// Named here for those who import this module to write its reports.
public typealias JSON = JSONValues.JSON

extension Table {
    /// The table as a document: columns, rows of cells, notes.
    public var json: JSON {
        [
            "title": JSON(title),
            "columns": .array(
                columns.map { column in
                    [
                        "groups": .array(column.groups.map(JSON.string)), "name": .string(column.name),
                        "unit": JSON(column.unit),
                    ]
                }),
            "rows": .array(
                rows.map { ["section": .string($0.section), "cells": .array($0.cells.map(\.json))] }),
            "notes": .array(notes.map(JSON.string)),
        ]
    }
}

extension Table.Cell {
    var json: JSON {
        switch self {
        case .empty: .null
        case .text(let text): .string(text)
        case .integer(let value): .integer(value)
        case .number(let value, _): .number(value)
        case .statistic(let one, _, let marks):
            [
                "mean": .number(one.mean), "std": .number(one.std), "n": .integer(one.n),
                "plus_infinite": .integer(one.positiveInfinities),
                "minus_infinite": .integer(one.negativeInfinities), "missing": .integer(one.missing),
                "below_anchor": .bool(marks.contains(.belowAnchor)), "partial": .bool(marks.contains(.partial)),
            ]
        case .estimate(let one, let interval, _):
            [
                "mean": .number(one.mean), "std": .number(one.std), "n": .integer(one.n),
                "lower": JSON(interval?.lowerBound), "upper": JSON(interval?.upperBound),
                "plus_infinite": .integer(one.positiveInfinities),
                "minus_infinite": .integer(one.negativeInfinities), "missing": .integer(one.missing),
            ]
        case .score(let one): one.json
        }
    }
}
