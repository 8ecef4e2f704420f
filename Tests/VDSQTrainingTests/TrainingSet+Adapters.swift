import VDSQFormat
import VDSQKernels
import VDSQSemantics

import VDSQTraining

extension TrainingSet {
  /// An adapter by linear discriminant analysis, stacked where there are examples enough.
  func discriminantAdapter(
    stacks: Bool = true, modelIdentity: UInt32 = 7, _ kernels: KernelTable
  ) throws(VDSQError) -> Adapter {
    let discriminant = try LinearDiscriminant(
      MatrixArithmetic(kernels: kernels)
    ).select(self, progress: .silent)
    guard stacks, let stack = StackedClassifier(discriminant) else {
      return discriminant.adapter(try discriminant.head(), modelIdentity: modelIdentity)
    }
    let (linear, votes) = try stack.train(own: try discriminant.head(), progress: .silent)
    return discriminant.adapter(linear, votes, modelIdentity: modelIdentity)
  }
}
