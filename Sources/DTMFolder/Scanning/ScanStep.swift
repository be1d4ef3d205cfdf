package import DTMSystem
package import SystemPackage

/// One thing that a scan tells, in key order.
package struct ScanStep: Sendable {
  /// What a scan found at a name.
  package enum Finding: Sendable, Hashable {
    /// An entry with its status.
    case entry
    /// An entry whose status could not be had: nothing is known of it, nor of what is beneath.
    case unreadable(Errno)
    /// What is beneath a directory could not be listed; the directory itself came before.
    case unreadableContent(Errno)
    /// Another file system, or another part of one, is mounted here.
    case mounted
    /// What is beneath a directory is not looked at, as it has a repository of its own; the
    /// directory itself came before.
    case nested
  }

  package let finding: Finding
  package let key: PathKey
  /// Of an entry and of what is mounted.
  package let status: FileStatus?
  /// Where the entry stands.
  let directory: ScanDirectory
}
