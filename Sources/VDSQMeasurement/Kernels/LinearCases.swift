import VDSQInference
import VDSQKernels

extension KernelBench {
  /// A linear layer of `outputs` by `inputs` over `batch` rows of activations, which are quantized
  /// already or floats. Four bits are in groups of 32 columns.
  func linear(
    _ element: WeightPanels.Element, outputs: Int, inputs: Int, batch: Int,
    activation: Activation = .identity
  ) -> KernelCase {
    let panels = (outputs + 15) / 16
    let isInteger = element == .int8 || element == .int4
    let width =
      switch element {
      case .int8: (inputs + 3) / 4 * 64
      case .int4: (inputs + 7) / 8 * 64
      case .float16: 32 * inputs
      case .float32: 64 * inputs
      }
    let weights = AlignedBytes(panels * width)
    let scales = AlignedBytes(panels * 64), sums = AlignedBytes(panels * 64)
    let bias = AlignedBytes(panels * 64)
    scales.fillFloats()
    bias.fillFloats()
    func fillHalves(_ bytes: AlignedBytes, _ count: Int) {
      let halves = bytes.pointer.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count { halves[i] = 0x3000 + UInt16(i * 7 % 1024) }
    }
    switch element {
    case .int8, .int4: weights.fill()
    case .float32: weights.fillFloats()
    case .float16: fillHalves(weights, panels * width / 2)
    }
    let groups = element == .int4 ? panels * ((inputs + 31) / 32) * 16 : 0
    let factors = AlignedBytes(groups * 2 + 64), zeroPoints = AlignedBytes(groups + 64)
    fillHalves(factors, groups)
    let layout = kernels.activationLayout
    let stride = layout.rowBytes(inputs)
    let x = AlignedBytes(batch * inputs * 4), y = AlignedBytes(batch * outputs * 4)
    let q = AlignedBytes(layout.bytes(rows: batch, columns: inputs)),
      parameters = AlignedBytes(batch * 8)
    x.fillFloats()
    let floats = UnsafePointer(x.pointer.assumingMemoryBound(to: Float.self))
    let quantized = QuantizedRows(
      values: q.pointer, stride: stride, layout: layout,
      scales: parameters.pointer.assumingMemoryBound(to: Float.self),
      zeroPoints: (parameters.pointer + batch * 4).assumingMemoryBound(to: Int32.self))
    kernels.quantizeRows(floats, inputs, batch, inputs, nil, quantized)
    let w = WeightPanels(
      element: element, weights: weights.pointer,
      scales: isInteger ? scales.pointer.assumingMemoryBound(to: Float.self) : nil,
      rowSums: element == .int8 ? sums.pointer.assumingMemoryBound(to: Int32.self) : nil,
      groups: element == .int4
        ? WeightGroups(
          length: 32, factors: factors.pointer, zeroPoints: zeroPoints.pointer,
          sums: sums.pointer.assumingMemoryBound(to: Float.self)) : nil,
      bias: bias.pointer.assumingMemoryBound(to: Float.self), outputs: outputs, inputs: inputs)
    let out = LinearOutput(
      y: y.pointer.assumingMemoryBound(to: Float.self), stride: outputs, activation: activation)
    let kernels = kernels
    let name =
      switch element {
      case .int8: activation == .identity ? "gemm-int8" : "gemm-int8-gelu"
      case .int4: "gemm-int4"
      case .float16: "gemm-fp16"
      case .float32: "gemm-fp32"
      }
    return KernelCase(
      name, rows: outputs, columns: inputs, batch: batch, bytes: weights.count + groups * 3,
      operand: weights, products: batch * outputs * inputs,
      arithmetic: isInteger ? .int8 : .float
    ) { worker in
      withExtendedLifetime(
        (weights, scales, sums, bias, x, y, q, parameters, factors, zeroPoints)
      ) {
        // Pairs of panels stay together, because the widest register tile takes two.
        let range = worker.share(of: panels, unit: 2)
        if isInteger {
          kernels.gemmU8S8(quantized, batch, w, range, out)
        } else {
          kernels.gemmFloat(floats, inputs, batch, w, range, out)
        }
      }
    }
  }
}
