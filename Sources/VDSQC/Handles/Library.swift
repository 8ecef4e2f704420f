import CVDSQ
import VDSQ

/// The release as a string that is never freed.
private let version = OwnedStrings([Release.version])

@c @implementation
public func vdsq_abi_version() -> UInt32 { UInt32(VDSQ_ABI_VERSION) }

@c @implementation
public func vdsq_version() -> UnsafePointer<CChar>! { version.pointers[0] }

@c @implementation
public func vdsq_last_error() -> UnsafePointer<CChar>! { ThreadMessage.text }
