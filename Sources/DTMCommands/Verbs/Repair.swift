internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Repair: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "repair",
    abstract: "Mend a damaged repository, and say what is lost",
    usage: "dtm repair [--dry-run] [options]",
    discussion: """
      Checks every byte of the repository. What is sound in damaged packs is saved and the packs are \
      set aside in trash/, nothing is deleted; the ref log is mended from its other copy, or rebuilt \
      from the packs; caches are made anew. Lost content is looked for in the folder as it is now. \
      Status 0 where nothing is lost, 65 where something is: it is listed by snapshot and path. Nobody \
      else may write meanwhile: stop dtmd first.
      """)

  @Flag(name: .customLong("dry-run"), help: "Show what would be done, and do nothing")
  var dryRun = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let result = try Repairing(invocation).run(isDryRun: dryRun)
    return try RepairResult(options, invocation).print(result, isDryRun: dryRun)
  }
}
