import VDSQFiles
package import VDSQFormat
import VDSQStreams

extension LabelWordSearch.Rule {
  /// Writes the labels with their words as a file for `--labels-file`: a JSON object.
  ///
  /// - Returns: its length in bytes.
  /// - Throws: `usage` if the file cannot be written.
  package func write(to path: String, replace: Bool) throws(VDSQError) -> Int {
    let lines = labels.map { label in
      JSONWriter.string { json in
        json.write(label.name)
        json.output.write(": ")
        json.array { for word in label.words { json.write(word) } }
      }
    }
    let text = "{\n  " + lines.joined(separator: ",\n  ") + "\n}\n"
    let file = try AtomicFile(path: path, replace: replace)
    try file.write(Array(text.utf8))
    try file.commit()
    return text.utf8.count
  }
}
