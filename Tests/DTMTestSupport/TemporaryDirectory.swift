internal import DTMSystem
internal import Glibc
package import SystemPackage

/// Makes a new directory (mode 0700), runs the body and removes the directory with all in it,
/// whatever the body did.
///
/// It lies in `TMPDIR`, else `/tmp`. Directories that the body made unreadable are opened up before
/// they are removed; immutable files (chattr +i) are the body's own business.
package func withTemporaryDirectory<Result>(
  _ body: (FilePath) throws -> Result
) throws -> Result {
  let path = try makeTemporaryDirectory()
  do {
    let result = try body(path)
    try removeTree(path)
    return result
  } catch {
    try removeTree(path)
    throw error
  }
}

/// The same for a body that waits.
package func withAsyncTemporaryDirectory<Result>(
  _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let path = try makeTemporaryDirectory()
  do {
    let result = try await body(path)
    try removeTree(path)
    return result
  } catch {
    try removeTree(path)
    throw error
  }
}

private func makeTemporaryDirectory() throws(Errno) -> FilePath {
  let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
  let name = SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
  let path = FilePath(parent).appending("dtm-test-\(name)")
  let status = unsafe path.withPlatformString { unsafe mkdir($0, 0o700) }
  if status != 0 { throw .current }
  return path
}

/// Removes a directory and everything beneath it; names are bytes. A link is removed, not followed.
package func removeTree(_ path: FilePath) throws(Errno) {
  let directory: Descriptor
  do {
    directory = try Descriptor.open(path, [.readOnly, .directory, .noFollow])
  } catch .permissionDenied {
    if unsafe path.withPlatformString({ unsafe chmod($0, 0o700) }) != 0 { throw .current }
    directory = try Descriptor.open(path, [.readOnly, .directory, .noFollow])
  }
  try removeContents(of: directory)
  if unsafe path.withPlatformString({ unsafe rmdir($0) }) != 0 { throw .current }
}

private func removeContents(of directory: borrowing Descriptor) throws(Errno) {
  let descriptor = directory.rawValue
  try directory.setMode(0o700)
  var entries: [DirectoryEntry] = []
  try directory.forEachEntry { entry throws(Errno) in entries.append(entry) }
  for entry in entries {
    let isDirectory = try directory.status(of: entry.name).kind == .directory
    if isDirectory {
      try unsafe withCString(of: entry.name) { name throws(Errno) in
        if unsafe fchmodat(descriptor, name, 0o700, 0) != 0 { throw .current }
      }
      try removeContents(of: directory.open(entry.name, [.readOnly, .directory, .noFollow]))
    }
    try unsafe withCString(of: entry.name) { name throws(Errno) in
      if unsafe unlinkat(descriptor, name, isDirectory ? Int32(AT_REMOVEDIR) : 0) != 0 {
        throw .current
      }
    }
  }
}
