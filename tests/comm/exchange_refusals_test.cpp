/// What the exchange says where tracts, ports, lesions or calls do not fit.
#include <gtest/gtest.h>

#include <stdexcept>

#include "comm/exchange.hpp"
#include "comm/inprocess_communicator.hpp"
#include "tests/comm/fake_brain.hpp"

namespace quartet {
namespace {

template <class Body>
std::string refusal(Body body) {
  try {
    run_in_process(1, [&](Communicator& world) { body(world); });
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

std::string wiring_refusal(std::vector<Tract> tracts, const std::vector<RegionPorts>& ports,
                           std::vector<TractLesion> lesions = {}) {
  return refusal([&](Communicator& world) {
    Exchange(world, Placement::standard(1), tracts, ports, lesions);
  });
}

std::vector<Tract> good_tracts() { return {fake_tracts().begin(), fake_tracts().end()}; }

TEST(ExchangeRefusals, tracts_that_do_not_fit_the_ports) {
  EXPECT_EQ(wiring_refusal(good_tracts(), fake_ports()), "accepted");

  auto tracts = good_tracts();
  tracts[0].out_port = "L5";
  EXPECT_EQ(
      wiring_refusal(tracts, fake_ports()),
      "exchange: tract pt_to_cerebellum starts at output port L5, which cortex does not have");
  tracts = good_tracts();
  tracts[0].name = "pt_to_pons";
  EXPECT_EQ(wiring_refusal(tracts, fake_ports()),
            "exchange: tract pt_to_pons ends in cerebellum, which has no input port of that name");
  tracts = good_tracts();
  tracts[0].delay_ms = 1;
  EXPECT_EQ(wiring_refusal(tracts, fake_ports()),
            "exchange: tract pt_to_cerebellum has a delay of less than 2 ms");
  tracts = good_tracts();
  tracts[0].from = "pons";
  EXPECT_EQ(wiring_refusal(tracts, fake_ports()),
            "exchange: tract pt_to_cerebellum names the region pons, whose ports are not known");
  tracts = good_tracts();
  tracts.push_back(tracts[0]);
  EXPECT_EQ(wiring_refusal(tracts, fake_ports()),
            "exchange: there are two tracts pt_to_cerebellum");
  tracts = good_tracts();
  tracts.erase(tracts.begin());
  EXPECT_EQ(wiring_refusal(tracts, fake_ports()),
            "exchange: input port pt_to_cerebellum of cerebellum has no tract of that name in the "
            "atlas");

  auto ports = fake_ports();
  ports[0].outputs[0].size = 301;
  EXPECT_EQ(wiring_refusal(good_tracts(), ports),
            "exchange: tract pt_to_cerebellum carries 301 cells with 4 substeps, but cerebellum "
            "expects 300 cells with 4 substeps");
  ports = fake_ports();
  ports.pop_back();
  EXPECT_EQ(wiring_refusal(good_tracts(), ports),
            "exchange: tract pt_to_body names the region body, whose ports are not known");
}

TEST(ExchangeRefusals, a_lesion_of_an_unknown_tract_lists_the_known) {
  const std::string message =
      wiring_refusal(good_tracts(), fake_ports(), {{"pt_to_pons", TractLesion::Kind::cut, 0}});
  EXPECT_TRUE(message.starts_with(
      "exchange: there is no tract 'pt_to_pons' to lesion; the tracts are pt_to_cerebellum, "))
      << message;
}

TEST(ExchangeRefusals, a_shuffled_tract_without_spikes) {
  EXPECT_EQ(
      wiring_refusal(good_tracts(), fake_ports(),
                     {{"senses_to_cortex", TractLesion::Kind::shuffle, 1}}),
      "exchange: tract 'senses_to_cortex' carries no spikes, so nothing of it can be shuffled");
}

TEST(ExchangeRefusals, a_placement_for_other_ranks) {
  EXPECT_EQ(refusal([](Communicator& world) { FakeBrain(world, Placement::standard(2)); }),
            "exchange: the placement is for 2 ranks, but 1 run");
}

TEST(ExchangeRefusals, spikes_that_are_not_of_the_port) {
  EXPECT_EQ(refusal([](Communicator& world) {
              FakeBrain brain(world, Placement::standard(1));
              brain.exchange.receive(0);
              brain.exchange.outbox("cortex").spikes(0).push_back({300, 0});
              brain.exchange.send(0);
            }),
            "cortex sent through port PT a spike of cell 300 of 300");
  EXPECT_EQ(refusal([](Communicator& world) {
              FakeBrain brain(world, Placement::standard(1));
              brain.exchange.outbox("body").spikes(0);
            }),
            "body has no output port 0 for spikes");
}

TEST(ExchangeRefusals, spikes_of_another_slice) {
  try {
    run_in_process(2, [](Communicator& world) {
      FakeBrain brain(
          world, Placement::parse("cortex:0,1 body:0 cerebellum:1 thalamus:1 basal_ganglia:0", 2));
      brain.exchange.receive(0);
      if (world.rank() == 0) brain.exchange.outbox("cortex").spikes(0) = {{3, 0}, {290, 0}};
      brain.exchange.send(0);
    });
    FAIL() << "accepted";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(),
                 "cortex sent through port PT a spike of cell 290, too far from cell 3 for a slice "
                 "of 158 cells");
  }
}

TEST(ExchangeRefusals, analog_values_from_another_slice) {
  try {
    run_in_process(2, [](Communicator& world) {
      FakeBrain brain(
          world, Placement::parse("cortex:0 body:0 cerebellum:1 thalamus:1 basal_ganglia:0,1", 2));
      brain.exchange.receive(0);
      brain.exchange.outbox("basal_ganglia").analog(2)[0] = 1.0;
      brain.exchange.send(0);
      world.barrier("end");
    });
    FAIL() << "accepted";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "only slice 0 of basal_ganglia may fill critic");
  }
}

TEST(ExchangeRefusals, calls_out_of_order) {
  const auto of = [](auto calls) {
    return refusal([&](Communicator& world) {
      FakeBrain brain(world, Placement::standard(1));
      calls(brain.exchange);
    });
  };
  EXPECT_EQ(of([](Exchange& e) { e.send(0); }), "exchange: send(0) where receive(0) comes next");
  EXPECT_EQ(of([](Exchange& e) { e.receive(1); }),
            "exchange: receive(1) where receive(0) comes next");
  EXPECT_EQ(of([](Exchange& e) {
              e.receive(0);
              e.receive(0);
            }),
            "exchange: receive(0) where send(0) comes next");
  EXPECT_EQ(of([](Exchange& e) {
              e.receive(0);
              e.quiesce();
            }),
            "exchange: quiesce within a timestep; send first");
  EXPECT_EQ(of([](Exchange& e) {
              e.receive(0);
              e.send(0);
              MemoryState state(true);
              e.save("cortex", state);
            }),
            "exchange: quiesce() before save()");
  EXPECT_EQ(of([](Exchange& e) { e.inbox("hippocampus"); }),
            "exchange: rank 0 hosts no slice of hippocampus");
}

}  // namespace
}  // namespace quartet
