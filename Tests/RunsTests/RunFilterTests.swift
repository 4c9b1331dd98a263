import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct RunFilterTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
        let specs = [
            (
                "a",
                #"""
                {"backbone":{"name":"ncsnpp","nf":16},"train":{"lr":1e-4,"ema":true},"evaluate":{"N":[30,50]},\#
                "sde":{"name":"ouve","parameters":{"theta":1.5}},"objective":{"weighting":"sigma^2"}}
                """#
            ),
            ("b", #"{"backbone":{"name":"ncsnpp_v2","nf":128},"train":{"lr":2e-3,"ema":false},"evaluate":{"N":[30]}}"#),
            ("c", #"{"backbone":{"name":"ncsnpp_v2","nf":128},"train":{"lr":1e-4,"ema":true},"evaluate":{"N":[]}}"#),
        ]
        for (name, spec) in specs { _ = try store.register(Sample.run(name, resolved: spec)) }
        try store.add(tag: "poc", to: try store.run(named: "b").id)
        let c = try store.run(named: "c")
        try Sample.evaluation(
            of: .run(c.id, checkpoint: nil), on: try Sample.set("ood", files: 1, in: store),
            at: EvaluationPoint(steps: 50), try Sample.siSDR(in: store), [1], in: store)
    }

    @Test(arguments: [
        ("backbone=ncsnpp", "a"), ("backbone = ncsnpp_v2 and N=30", "b"), ("N=50", "ac"), ("N != 50", "b"),
        ("backbone.nf >= 128", "bc"), ("nf<128", "a"), ("sde.theta=1.5", "a"), ("sde=ouve and theta>1", "a"),
        ("train.lr=1e-4 and not tag=poc", "ac"), ("lr > 0.001", "b"),
        ("(name=a or name=b) AND status=planned", "ab"), ("name in (a, c)", "ac"), ("N in [50]", "ac"),
        ("backbone~V2", "bc"), ("name~'[bc]*'", "bc"), ("set=ood", "c"), ("tag=poc", "b"), ("ema=true", "ac"),
        ("weighting=sigma^2", "a"), ("commit=0123abc and dirty=false && threads=2", "abc"),
        ("created>2020-01-01", "abc"),
        ("created < 2020-01-01T00:00:00Z", ""), ("seed=0", "abc"), ("not (name=a)", "bc"),
        ("name=\"a\" || name='b'", "ab"),
    ])
    func aFilterFindsItsRuns(text: String, names: String) throws {
        let found = try store.runs(where: RunFilter(text)).map(\.name).sorted().joined()
        #expect(found == names)
    }

    @Test(arguments: [
        ("backbone=", 9), ("N 50", 2), ("(N=50", 5), ("N=50 lr=1", 5), ("name='a", 5), ("= 3", 0), ("", 0),
        ("name in (a b)", 11), ("N=50 and", 8),
    ])
    func aMistakeIsPointedAt(text: String, offset: Int) {
        let error = #expect(throws: FilterError.self) { try RunFilter(text) }
        #expect(error?.offset == offset, "\(error?.description ?? "")")
    }

    @Test func aMisspeltFieldIsNotAnEmptyList() throws {
        let filter = try RunFilter("backbon=ncsnpp")
        let error = #expect(throws: StoreError.self) { try store.runs(where: filter) }
        #expect(error?.kind == .invalid && error?.hint == "did you mean 'backbone'?")
    }
}
