#include "comm/placement.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "regions/atlas.hpp"

namespace quartet {
namespace {

std::string refusal(std::string_view text, int ranks) {
  try {
    Placement::parse(text, ranks);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Placement, standard_keeps_its_promises_for_any_number_of_ranks) {
  for (int ranks = 1; ranks <= 64; ++ranks) {
    const Placement placement = Placement::standard(ranks);
    EXPECT_EQ(placement.world_size(), ranks);
    EXPECT_EQ(placement.ranks_of("body").size(), 1u);
    for (int rank = 0; rank < ranks; ++rank) {
      const auto hosted = placement.hosted_by(rank);
      EXPECT_FALSE(hosted.empty());
      std::set<std::string_view> regions;
      for (const HostedSlice& slice : hosted) {
        EXPECT_TRUE(regions.insert(slice.region).second);
        const auto where = placement.ranks_of(slice.region);
        EXPECT_EQ(where.size(), static_cast<std::size_t>(slice.slices));
        EXPECT_EQ(where[static_cast<std::size_t>(slice.slice)], rank);
      }
    }
    EXPECT_EQ(Placement::parse(placement.to_string(), ranks).to_string(), placement.to_string());
  }
}

TEST(Placement, the_body_shares_the_cortex_s_rank_on_four_and_six) {
  for (const int ranks : {1, 2, 3, 4, 6}) {
    const Placement placement = Placement::standard(ranks);
    EXPECT_EQ(placement.ranks_of("body")[0], placement.ranks_of("cortex")[0]);
  }
  EXPECT_EQ(Placement::standard(4).to_string(),
            "cortex:0 cerebellum:1 basal_ganglia:2 thalamus:3 body:0");
  EXPECT_EQ(Placement::standard(8).to_string(),
            "cortex:0,1,2 cerebellum:3,4 basal_ganglia:5 thalamus:6 body:7");
}

TEST(Placement, slices_may_be_on_permuted_ranks) {
  const Placement placement =
      Placement::parse(" cerebellum:1,0 thalamus:2\tbody:2 basal_ganglia:0 cortex:3,1,0\n", 4);
  EXPECT_EQ(placement.to_string(), "cortex:3,1,0 cerebellum:1,0 basal_ganglia:0 thalamus:2 body:2");
  const auto hosted = placement.hosted_by(1);
  ASSERT_EQ(hosted.size(), 2u);
  EXPECT_EQ(hosted[0].region, "cortex");
  EXPECT_EQ(hosted[0].slice, 1);
  EXPECT_EQ(hosted[1].region, "cerebellum");
  EXPECT_EQ(hosted[1].slice, 0);
}

TEST(Placement, impossible_ones_are_refused_with_a_remedy) {
  const std::string rest = " cerebellum:0 basal_ganglia:0 thalamus:0 body:0";
  EXPECT_EQ(refusal("cortx:0" + rest, 1),
            "placement: there is no region 'cortx'; the regions are cortex, cerebellum, "
            "basal_ganglia, thalamus, body");
  EXPECT_EQ(refusal("cortex" + rest, 1),
            "placement: 'cortex' names no rank; write region:ranks as in cortex:0,1");
  EXPECT_EQ(refusal("cortex:0,x" + rest, 1),
            "placement: 'x' is not a rank of cortex; write ranks as in cortex:0,1");
  EXPECT_EQ(refusal("cortex:" + rest, 1),
            "placement: '' is not a rank of cortex; write ranks as in cortex:0,1");
  EXPECT_EQ(refusal("cortex:-1" + rest, 1),
            "placement: '-1' is not a rank of cortex; write ranks as in cortex:0,1");
  EXPECT_EQ(refusal("cortex:0 cortex:1" + rest, 2),
            "placement: cortex is given twice; put all its ranks behind one colon");
  EXPECT_EQ(refusal("cortex:0,2" + rest, 2),
            "placement: cortex is on rank 2, but there are ranks 0 to 1 only; start more ranks or "
            "name a lower one");
  EXPECT_EQ(refusal("cortex:0,1,0" + rest, 2),
            "placement: rank 0 would host two slices of cortex; name each rank once per region");
  EXPECT_EQ(refusal("cerebellum:0 basal_ganglia:0 thalamus:0 body:0", 1),
            "placement: no rank hosts cortex; add cortex:0");
  EXPECT_EQ(refusal("cortex:0 cerebellum:0 basal_ganglia:0 thalamus:0 body:0,1", 2),
            "placement: the body is never split; give it one rank");
  EXPECT_EQ(refusal("cortex:0" + rest, 2),
            "placement: rank 1 of 2 hosts nothing; give it a slice or start fewer ranks");
  EXPECT_THROW(Placement::standard(0), std::invalid_argument);
  EXPECT_THROW(Placement::standard(-3), std::invalid_argument);
  EXPECT_THROW(Placement::standard(4).ranks_of("hippocampus"), std::invalid_argument);
}

}  // namespace
}  // namespace quartet
