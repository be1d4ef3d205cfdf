import DTMControl
import DTMDaemon
import DTMSystem
import Glibc
import SystemPackage
import Testing

@Suite struct VarlinkClientTests {
  @Test(.enabled(if: PythonPackage.varlink != nil, "pip can't get the package varlink"))
  func `the Python client of Varlink calls every method`() throws {
    let interpreter = try #require(PythonPackage.varlink)
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
              out.append(dtm.Pause("lake", 600)["until"])
              out.append(dtm.Resume("lake")["wasPaused"])
              out.append(dtm.Metrics()["text"])
          with client.open("io.dtm.Daemon") as other:
              with client.open("io.dtm.Daemon") as dtm:
                  kinds = []
                  for reply in other.Events("lake", _more=True):
                      # The announcement above ends with its connection, whenever that is.
                      if reply["event"]["kind"] == "restoreEnded": continue
                      # Another state is told when there is one: the pause ended just now.
                      if kinds and kinds[-1] == "state" == reply["event"]["kind"]: continue
                      kinds.append(reply["event"]["kind"])
                      if kinds[-1] == "state": dtm.Snapshot("lake")
                      if kinds[-1] == "snapshot": break
                  out.append(kinds)
          with client.open("org.varlink.service") as service:
              out.append(service.GetInterfaceDescription("io.dtm.Daemon")["description"])
          with client.open("io.dtm.Daemon") as dtm:
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
    #expect(values[8].string.flatMap { Timestamp(rfc3339: $0) } != nil)
    #expect(values[9].bool == true)
    #expect(values[10].string?.hasSuffix("# EOF\n") == true)
    // The end of what was announced above may still come in between.
    let kinds = try #require(values[11].array).map(\.string).filter { $0 != "restoreEnded" }
    #expect(kinds == ["begin", "state", "snapshot"])
    #expect(values[12].string == DaemonInterface.description)
    #expect(values[13].string == "io.dtm.Daemon.NoSuchFolder")
    #expect(values[14].string == "nothing")
    #expect(fixture.engines.orders.contains { $0.labels == ["k": "v"] })
  }
}
