package import VDSQFormat
import VDSQFiles

/// A report as one HTML page; nothing in it comes from the network.
package protocol Page {
  var html: String { get }
}

extension Page {
  /// Writes the page.
  ///
  /// - Throws: `usage` if the file exists and may not be replaced, or cannot be written.
  package func write(to path: String, replace: Bool) throws(VDSQError) {
    let output = try AtomicFile(path: path, replace: replace)
    try output.write(Array(html.utf8))
    try output.commit()
  }
}
