package import VDSQ
package import VDSQFormat
import VDSQInference
import VDSQSemantics

extension CategoryMap {
  /// Runs a model over labelled texts, and maps their categories.
  ///
  /// - Parameters:
  ///   - training: how the model is run. The method and its options only count with `reviews`.
  ///   - reviews: whether adapters are trained with each item held out, whose log-odds stand beside
  ///     the regions (`Reconsideration`).
  ///   - report: called as the work goes on.
  /// - Throws: `usage` for fewer than two labels, and with `reviews` if a label has a single item;
  ///   `budgetTooSmall` with the smallest sufficient budget; what encoding and training throw.
  package init(
    _ texts: [Examples.Example], model: Model, labels: [Label], training: TrainingOptions,
    reviews: Bool, options: Options, report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    let names = labels.map(\.name)
    if reviews {
      let trainer = try FewShotTrainer(
        try TrainingPlan(
          model: model, labels: labels, examples: texts, options: training, report: report),
        report: report)
      let examples = try trainer.encode(texts, report: report)
      var logOdds = [Float](repeating: 0, count: texts.count)
      for item in try Reconsideration.list(examples, trainer: trainer, report: report) {
        logOdds[item.example] = item.distance
      }
      try self.init(
        examples, labels: names, logOdds: logOdds, options: options,
        arithmetic: trainer.encoder.arithmetic)
      return
    }
    let columns = try OutputModules.vectorSize(
      model.description, cutTo: training.run.dimensions)
    let encoder = try model.encoder(
      training.run,
      more: TrainingPlan.bytes(for: texts, columns: columns)
        + Self.bytes(texts.count, columns: columns))
    let examples = try Examples(
      texts, labels: labels, encoder: encoder, template: training.template,
      cache: try StateCache(folder: training.cacheFolder, encoder: encoder),
      advance: { report(.encoded($0, of: texts.count)) })
    TrainingEvent.report(texts, encoded: examples, by: encoder, to: report)
    encoder.container.release()
    try self.init(examples, labels: names, options: options, arithmetic: encoder.arithmetic)
  }

  /// The maximum number of bytes that the map takes beside the states: distances to some
  /// centres, copies of one category's distances and of its states, and a description of each item.
  private static func bytes(_ items: Int, columns: Int) -> Int {
    items * (CategoryRegions.together + 4 + 32) * 4 + items * 128
      + (items + 3 * PackedMatrix.blockLength) * columns * 4
  }
}
