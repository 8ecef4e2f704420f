import Testing
import VDSQInference

import VDSQTraining

@Suite struct FeatureMatrixTests {
  private let features = [
    IntermediateFeature(2), IntermediateFeature(3), IntermediateFeature(3, of: .firstToken),
  ]

  /// Three rows of four blocks of two columns, numbered.
  private var matrix: FeatureMatrix {
    FeatureMatrix(
      (0..<24).map(Float.init), layout: .init(blockSize: 2, intermediateFeatures: features))
  }

  @Test func layoutIsTheRowsLayout() {
    #expect(matrix.rows == 3 && matrix.columns == 8 && matrix.layout.blocks == 4)
    #expect(Array(matrix[1]) == [8, 9, 10, 11, 12, 13, 14, 15])
    #expect(matrix.withRow(2) { $0[7] } == 23)
    let plain = FeatureMatrix([1, 2, 3, 4, 5, 6], columns: 3)
    #expect(plain.rows == 2 && plain.layout.intermediateFeatures.isEmpty)
  }

  @Test func subsetsKeepTheOrder() {
    let subset = matrix.subset([2, 0, 2])
    #expect(subset.layout == matrix.layout && subset.rows == 3)
    #expect(Array(subset[0]) == Array(matrix[2]) && Array(subset[1]) == Array(matrix[0]))
    #expect(Array(subset[2]) == Array(matrix[2]))
    #expect(matrix.subset([]).rows == 0)
  }

  @Test func prefixesAreWholeBlocks() {
    let vector = matrix.prefix(features: 0)
    #expect(vector.values == [0, 1, 8, 9, 16, 17])
    #expect(vector.layout == .init(blockSize: 2))
    let two = matrix.prefix(features: 2)
    #expect(two.layout.intermediateFeatures == Array(features[..<2]) && two.columns == 6)
    #expect(Array(two[1]) == [8, 9, 10, 11, 12, 13])
    #expect(matrix.prefix(features: 3).values == matrix.values)
    #expect(matrix.prefix(features: 9).layout == matrix.layout)
  }

  @Test func featuresAreScaledWithoutTheVector() {
    let vectors = FeatureMatrix(
      [3, 4, 1, 0, 0, 0, 0, 1], layout: .init(blockSize: 2, intermediateFeatures: [features[0]]))
    // The root of (25 + 0) / 2.
    #expect((vectors.vectorLength - Float(12.5).squareRoot()).magnitude < 1e-6)
    #expect(vectors.scalingFeatures(by: 2).values == [3, 4, 2, 0, 0, 0, 0, 2])
  }
}
