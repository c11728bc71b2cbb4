import Foundation
import TestSupport
import Testing

@testable import Load

/// The Locust files of a folder, and the arguments and forms made of them.
@Suite struct LocustCatalogueTests {
    @Test(arguments: ["shopper.py", "a.py", "inventory_browser.py", "a-b.v2.py", "7.py"])
    func namesOfProfiles(name: String) { #expect(LocustCatalogue.isName(name)) }

    @Test(arguments: [
        "", ".py", "a", "a.txt", "_a.py", ".a.py", "-f.py", "a/b.py", "../a.py", "a\\b.py", "a.py\0", "a.py\n",
        "a b.py",
        "a,b.py", "\u{e4}.py", "a.PY", String(repeating: "a", count: 98) + ".py",
    ])
    func namesOfNone(name: String) { #expect(!LocustCatalogue.isName(name)) }

    @Test func whatIsInTheFolder() async throws {
        try await withTemporaryFolder { root in
            let folder = root.appendingPathComponent("profiles")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            func write(_ name: String, _ text: String) throws {
                try Data(text.utf8).write(to: folder.appendingPathComponent(name))
            }
            try write("b.py", "#!/usr/bin/env python\n\n'''Looks\n\nand looks'''\nclass B(HttpUser):\n    pass\n")
            try write(
                "a.py", "import x\nclass One(FastHttpUser):\nclass Two(base.HttpUser, Mixin) :\nclass No(TaskSet):\n")
            try write("_c.py", "")
            try write("../out.py", "class Out(HttpUser):")
            try write("empty.py", "")
            func link(_ name: String, to target: String) throws {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.appendingPathComponent(name).path, withDestinationPath: target)
            }
            try link("within.py", to: "a.py")
            try link("out.py", to: "../out.py")
            try link("broken.py", to: "nothing.py")

            let catalogue = LocustCatalogue(folder: folder.path)
            #expect(catalogue.profiles.map(\.name) == ["a.py", "b.py", "empty.py", "within.py"])
            #expect(catalogue.profiles.map(\.description) == ["a.py", "Looks", "empty.py", "within.py"])
            #expect(catalogue.profile(named: "a.py")?.userClasses == ["One", "Two"])
            #expect(catalogue.profile(named: "within.py")?.path.hasSuffix("/a.py") == true)
            #expect(catalogue.profile(named: "out.py") == nil && catalogue.profile(named: "c.py") == nil)
            #expect(LocustCatalogue(folder: root.appendingPathComponent("none").path).profiles.isEmpty)
            // A folder that is a link itself is as good as its target.
            try FileManager.default.createSymbolicLink(
                at: root.appendingPathComponent("way"), withDestinationURL: folder)
            #expect(LocustCatalogue(folder: root.appendingPathComponent("way").path).profile(named: "b.py") != nil)
        }
    }

    @Test func theProjectsOwn() {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let catalogue = LocustCatalogue(folder: root.appending(path: "ScenarioRunner/load-profiles/locust").path)
        let names = catalogue.profiles.map(\.name)
        #expect(Set(names).isSuperset(of: ["shopper.py", "chain.py", "inventory_browser.py"]))
        for profile in catalogue.profiles {
            #expect(profile.description != profile.name, "\(profile.name) says what its users do")
            #expect(profile.userClasses.count == 1, "\(profile.name)")
        }
    }

    @Test func argumentsAndForm() {
        let profile = LocustProfile(
            name: "a.py", description: "", userClasses: ["One", "Two"], path: "/profiles/a.py")
        let order = LocustOrder(
            id: "LOAD-1", profile: profile, userCount: 20, spawnRate: 2.5, runTime: .milliseconds(90_200))
        #expect(
            order.arguments(stream: "/s.py", files: "/runs/LOAD-1").joined(separator: " ")
                == "--locustfile /s.py,/profiles/a.py --headless --users 20 --spawn-rate 2.5 --run-time 91s "
                + "--stop-timeout 1 --csv /runs/LOAD-1 --html /runs/LOAD-1.html --only-summary")
        let form = "user_count=20&spawn_rate=2.5&run_time=91s"
        #expect(order.form(host: nil) == "\(form)&user_classes=One&user_classes=Two")
        #expect(
            order.form(host: "http://a:1") == "\(form)&host=http%3A%2F%2Fa%3A1&user_classes=One&user_classes=Two")
    }
}
