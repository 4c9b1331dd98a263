import Foundation
import JSONValues
import Reports

/// Writes a text for people to standard output, with control characters escaped.
func emit(_ text: String, terminator: String = "\n") throws(OutputError) {
    try Channel.output.write((text + terminator).neutralized)
}

/// Writes a text for programs to standard output, as it is.
func emitData(_ text: String, terminator: String = "") throws(OutputError) {
    try Channel.output.write(text + terminator)
}

/// Writes a JSON document to standard output.
func emit(_ document: JSON) throws(OutputError) { try emitData(document.text) }

/// Writes a table to standard output: as wide as the terminal where it is for people.
func emit(_ table: Table, as format: TableFormat = .terminal) throws(OutputError) {
    let text = table.written(as: format, width: Terminal.width)
    switch format {
    case .csv, .json, .html: try emitData(text)
    case .terminal, .markdown, .latex: try emit(text, terminator: "")
    }
}

/// Writes a message to standard error.
///
/// A message that cannot be written is dropped; the command does not fail.
func printError(_ message: String) {
    let text = message.neutralized
    try? Channel.messages.write((Terminal.hasColors ? text.colored : text) + "\n")
}
