import TestSupport
import Testing
import VDSQInference
import VDSQKernels

import VDSQTraining

@Suite struct StateRowsTests {
  private let kernels = KernelTable.available()[0]
  private let columns = 40

  private func matrix(_ states: [Float], capacity: Int) -> FeatureMatrix {
    var rows = StateRows.Builder(columns: columns, capacity: capacity, kernels: kernels)
    for start in stride(from: 0, to: states.count, by: columns) {
      rows.add(Array(states[start..<start + columns]))
    }
    return FeatureMatrix(rows.finish(), layout: .init(blockSize: columns))
  }

  /// More bytes than are kept in single precision.
  private var many: Int { StateRows.Builder.mostFloatBytes / 4 / columns + 1 }

  @Test func fewStatesAreKeptAsTheyAre() {
    var random = Random(1)
    let states = random.floats(3 * columns)
    #expect(matrix(states, capacity: 3).values == states)
    #expect(StateRows.Builder.bytes(rows: 3, columns: columns) == 3 * columns * 4)
  }

  /// Rows of very different lengths keep eleven bits of their largest elements.
  @Test func manyStatesAreRounded() {
    var random = Random(2)
    let states = [Float(1e-6), 1, 3e5].flatMap { scale in
      random.floats(columns).map { $0 * scale }
    }
    let rounded = matrix(states, capacity: many)
    #expect(rounded.rows == 3 && rounded.values != states)
    for row in 0..<3 {
      let exact = Array(states[row * columns..<(row + 1) * columns])
      let most = exact.reduce(0) { max($0, $1.magnitude) }
      for (a, b) in zip(rounded[row], exact) {
        #expect((a - b).magnitude <= b.magnitude / 2048 + most * 6e-8)
      }
    }
    #expect(StateRows.Builder.bytes(rows: many, columns: columns) < 3 * many * columns)
  }

  @Test func zerosAndNumbersThatAreNotFiniteStaySo() {
    for broken in [Float.nan, .infinity] {
      var states = [Float](repeating: 0, count: 2 * columns)
      states[columns + 3] = broken
      let rounded = matrix(states, capacity: many)
      #expect(rounded[0].allSatisfy { $0 == 0 })
      #expect(rounded[1].contains { !$0.isFinite })
    }
  }

  @Test func viewsOfViewsReadTheSameRows() {
    let layout = FeatureMatrix.Layout(
      blockSize: 2, intermediateFeatures: [IntermediateFeature(1), IntermediateFeature(2)])
    let whole = FeatureMatrix((0..<30).map(Float.init), layout: layout)
    let view = whole.subset([4, 1, 3]).prefix(features: 1).scalingFeatures(by: 2)
      .scalingFeatures(by: 0.25).subset([2, 0])
    #expect(view.rows == 2 && view.values == [18, 19, 10, 10.5, 24, 25, 13, 13.5])
    #expect(view.withRow(1) { $0[3] } == 13.5)
    #expect(view.gathered([1, 1]) == view[1] + view[1])
  }
}
