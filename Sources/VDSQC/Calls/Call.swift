import CVDSQ
import VDSQ

/// Runs the body of a function of the interface.
///
/// - Returns: the status. The message of an error is kept for the calling thread.
func call(_ body: () throws(VDSQError) -> Void) -> vdsq_status {
  do throws(VDSQError) {
    try body()
    return vdsq_status(VDSQ_OK)
  } catch {
    ThreadMessage.keep(error.messageWithMember)
    return error.category.rawValue
  }
}
