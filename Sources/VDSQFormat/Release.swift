/// The release of vdsq that a program or a file belongs to.
package enum Release {
  /// The version, by semantic versioning.
  package static let version = "0.1.0"
}
