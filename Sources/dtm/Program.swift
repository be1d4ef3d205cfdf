internal import DTMCommands

@main struct Program {
  static func main() {
    CommandLineProgram.main()
  }
}
