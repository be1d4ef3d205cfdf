import DTMControl
import DTMDaemon
import DTMSystem
import Glibc
import SystemPackage
import Testing

/// The Python package `varlink`, in a virtual environment beside the build.
private enum PythonVarlink {
  /// The interpreter that has it; nil where pip can't get it.
  static let interpreter: String? = {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
      .prefix { $0 != "Tests" }.joined(separator: "/")
    let directory = root + "/.build/varlink-venv"
    let interpreter = directory + "/bin/python3"
    let script = """
      "\(interpreter)" -c 'import varlink' 2>/dev/null && exit 0
      python3 -m venv "\(directory)" && "\(interpreter)" -m pip install -q varlink==31.0.0
      "\(interpreter)" -c 'import varlink'
      """
    let status = try? Command.status(["/bin/sh", "-c", script + " >/dev/null 2>&1"])
    return status == 0 ? interpreter : nil
  }()
}

@Suite struct VarlinkClientTests {
  @Test(.enabled(if: PythonVarlink.interpreter != nil, "pip can't get the package varlink"))
  func `the Python client of Varlink calls every method`() throws {
    let interpreter = try #require(PythonVarlink.interpreter)
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    try fixture.directory.write("lake/second", "2")
    let script = """
      import json, sys, varlink
      out = []
      with varlink.Client(address="unix:" + sys.argv[1]) as client:
          info = client.get_interfaces()
          with client.open("org.varlink.service") as service:
              out.append(service.GetInfo()["product"])
          with client.open("io.dtm.Daemon") as dtm:
              out.append(dtm.Wait("lake", 0, 20)["snapshot"]["id"])
              status = dtm.Status()
              out.append(status["state"])
              out.append(status["folders"][0]["lastSnapshot"]["id"])
              done = dtm.Snapshot(folder="lake", message="from Python", labels={"k": "v"})
              out.append(done["created"])
              out.append(done["snapshot"]["message"])
              out.append(dtm.Announce("lake", "restore", []))
              out.append(dtm.Reload()["configuration"]["files"])
              try:
                  dtm.Status("nothing")
              except varlink.VarlinkError as error:
                  out.append(error.error())
                  out.append(error.parameters()["folder"])
      print(json.dumps(out))
      """
    let output = try Command.run([interpreter, "-c", script, fixture.socket.string])
    let values = try #require(try JSONNode(parsing: Array(output.utf8)).array)
    #expect(values[0].string == "dtmd")
    #expect(values[1].string == values[3].string)
    #expect(values[2].string == "protected")
    #expect(values[4].bool == true)
    #expect(values[5].string == "from Python")
    #expect(values[6].members?.isEmpty == true)
    #expect(values[7].array?.first?.string?.hasSuffix("dtmd.json") == true)
    #expect(values[8].string == "io.dtm.Daemon.NoSuchFolder")
    #expect(values[9].string == "nothing")
    #expect(fixture.engines.orders.last?.labels == ["k": "v"])
  }
}
