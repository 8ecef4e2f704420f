public import CVDSQ
import VDSQ

/// A model's file.
final class ModelHandle: Handle, @unchecked Sendable {
  override class var kind: String { "a model" }

  let model: Model

  init(path: UnsafePointer<CChar>?) throws(VDSQError) {
    model = try Model(path: try Arguments.string(path, "path"))
  }
}

@c @implementation
public func vdsq_model_open(
  _ path: UnsafePointer<CChar>!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(model) { () throws(VDSQError) in try ModelHandle(path: path) }
}

@c @implementation
public func vdsq_model_close(_ model: OpaquePointer!) { ModelHandle.close(model) }

@c @implementation
public func vdsq_model_plan(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_run_options>!,
  _ plan: UnsafeMutablePointer<vdsq_plan>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let model = try ModelHandle.find(model).model
    try Sized.write(try Footprint(of: model, try RunOptions(options)).plan, to: plan, "vdsq_plan")
  }
}
