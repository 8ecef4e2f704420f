import TestSupport
import VDSQ
import VDSQConversion

/// A small encoder, converted into a folder that goes with the test.
struct ConvertedModel {
  let folder: TemporaryFolder
  let model: Model

  init(_ fixture: String = "bert-mean", compress: Bool = false) throws {
    folder = try TemporaryFolder()
    var options = Converter.Options(weights: .int8)
    options.compress = compress
    _ = try Converter(folder: Fixtures.path(fixture), options: options).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    model = try Model(path: folder.path("m.vdsq"))
  }
}
