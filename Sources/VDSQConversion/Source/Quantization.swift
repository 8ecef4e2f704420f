import VDSQCheckpoints
import VDSQFormat

/// The `quantization_config` of a checkpoint: which quantized weights can be read.
enum Quantization {
  /// - Throws: `badInput`, naming the method or setting, if weights are stored in a form that is
  ///   not read.
  static func check(_ config: ConfigReader) throws(VDSQError) {
    guard let settings = config["quantization_config"] else { return }
    let path = "\(config.path): quantization_config"
    let method = settings["quant_method"]?.text ?? ""
    switch method {
    case "bitsandbytes", "":
      guard settings["load_in_8bit"]?.boolean == true, settings["load_in_4bit"]?.boolean != true
      else {
        throw .badInput("\(path): \(method) of four bits is not supported; supported: load_in_8bit")
      }
    case "compressed-tensors":
      let formats =
        [settings["format"]] + (settings["config_groups"]?.members ?? []).map { $0.value["format"] }
      for format in formats.compactMap({ $0?.text })
      where !["int-quantized", "naive-quantized", "dense"].contains(format) {
        throw .badInput("\(path): format \(format) is not supported; supported: int-quantized")
      }
      for group in settings["config_groups"]?.members ?? [] {
        try check(weights: group.value["weights"], "\(path): \(group.key)")
      }
      if let transform = settings["transform_config"], !transform.isEmpty {
        throw .badInput("\(path): transform_config is not supported; it must be absent")
      }
      if let status = settings["sparsity_config"]?["format"]?.text, status != "dense" {
        throw .badInput("\(path): sparsity_config \(status) is not supported; supported: dense")
      }
    default:
      throw .badInput(
        "\(path): quant_method \(method) is not supported; supported: bitsandbytes of eight bits, "
          + "compressed-tensors of int8")
    }
  }

  private static func check(weights: JSON?, _ path: String) throws(VDSQError) {
    guard let weights, !weights.isNull else { return }
    let bits = weights["num_bits"]?.integer ?? 8
    let type = weights["type"]?.text ?? "int"
    let strategy = weights["strategy"]?.text ?? "channel"
    guard bits == 8, type == "int" else {
      throw .badInput(
        "\(path): weights of \(bits) bits (\(type)) are not supported; supported: int8")
    }
    guard ["channel", "group", "tensor"].contains(strategy) else {
      throw .badInput(
        "\(path): strategy \(strategy) is not supported; supported: channel, group, tensor")
    }
    if let order = weights["actorder"], !order.isEmpty, order.text != "static",
      order.text != "weight"
    {
      throw .badInput("\(path): actorder \(order.brief) is not supported; it must be absent")
    }
  }
}
