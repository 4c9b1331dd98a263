import Collectives
import Testing

@Suite struct GroupPlaceTests {
    @Test func aProcessByItselfHasNoPlace() throws {
        #expect(try GroupPlace([:]) == nil)
        #expect(try GroupPlace(["WORLD_SIZE": "1", "RANK": "0"]) == nil)
        // A batch script of Slurm outside of srun is one process, however many tasks the job has.
        #expect(try GroupPlace(["SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"]) == nil)
    }

    @Test func launchersGiveRankCountAndAddress() throws {
        let torchrun = try GroupPlace([
            "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "MASTER_ADDR": "node3", "MASTER_PORT": "29500",
        ])
        #expect(torchrun == GroupPlace(rank: 5, count: 8, localRank: 1, address: "node3", port: 29500))
        let slurm = try GroupPlace([
            "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "1",
            "SLURM_STEP_NODELIST": "gpu[07-08,11]",
            "SLURM_JOB_ID": "123456",
        ])
        #expect(slurm == GroupPlace(rank: 3, count: 4, localRank: 1, address: "gpu07", port: 20000 + 123456 % 20000))
        let mpirun = try GroupPlace([
            "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "1",
        ])
        #expect(mpirun?.rank == 1 && mpirun?.count == 2)
    }

    @Test(arguments: [
        ("a,b", "a"), ("node[01-04,07]", "node01"), ("n1,node[2-3]", "n1"), ("alone", "alone"), ("x[9,12]", "x9"),
    ])
    func theFirstNodeOfAListIsRankZeros(list: String, node: String) throws {
        let place = try GroupPlace(["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": list])
        #expect(place?.address == node)
    }

    /// Where Slurm shows each process its own card alone, that one is the first.
    @Test(arguments: [(nil, 3), ("", 3), ("0,1,2,3", 3), ("3", 0), ("GPU-5c,GPU-7a", 1)] as [(String?, Int)])
    func aProcessTakesACardThatItSees(visible: String?, card: Int) {
        #expect(GroupPlace(rank: 7, count: 8, localRank: 3, port: 1).card(amongVisible: visible) == card)
    }

    @Test func whatTheLauncherLeftOutIsNamed() {
        let cases = [
            (["WORLD_SIZE": "2"], "RANK is not set; the launcher must set it"),
            (["WORLD_SIZE": "two", "RANK": "0"], "WORLD_SIZE is 'two', which is no number"),
            (["WORLD_SIZE": "2", "RANK": "2"], "RANK is 2, and WORLD_SIZE is 2; ranks count from 0"),
        ]
        for (environment, text) in cases {
            #expect(throws: GroupFailure(text)) { try GroupPlace(environment) }
        }
    }

    @Test func aRankThatDoesNotAnswerIsNamed() {
        let place = GroupPlace(rank: 300, count: 2, port: 1)
        #expect(throws: GroupFailure("a rank must lie in 0 ..< count, and at most 255 processes work together")) {
            try ProcessGroup(tcp: place)
        }
    }

    @Test func aMissingLibraryNamesTheScript() {
        let error = #expect(throws: GroupFailure.self) {
            try ProcessGroup(library: "/nowhere/libsgmse-mpi.so", at: GroupPlace(rank: 0, count: 2, port: 1))
        }
        #expect(error?.description.hasSuffix("build it again with scripts/collective-plugin") == true)
    }
}
