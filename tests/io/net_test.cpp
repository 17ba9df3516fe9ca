// Tasks that stop together, deadlines by watchdog, wakes: on a real event loop.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include <millrace/io/net.hpp>

namespace millrace::net {
namespace {

using namespace std::chrono_literals;

struct Recorder : events::Observer {
    std::vector<std::string> fallen;
    void on(const events::Event& event) override {
        if (const auto* e = std::get_if<events::Fallen>(&event))
            fallen.push_back(std::string(e->where) + ": " + std::string(e->what));
    }
};

asio::awaitable<void> throw_it() {
    throw std::runtime_error("broken");
    co_return;
}

asio::awaitable<void> sleep_long() { co_await sleep_for(1h); }

asio::awaitable<void> sleep_twice() {
    co_await sleep_for(1h);
    co_await sleep_for(1h);
}

asio::awaitable<void> wait_for_group(TaskGroup& group, Deadline deadline, bool& result) {
    result = co_await group.wait(deadline);
}

asio::awaitable<void> wait_for_signal(Signal& signal, Deadline deadline, std::vector<bool>& results) {
    const bool woken = co_await signal.wait(deadline);
    results.push_back(woken);
}

struct Net : testing::Test {
    asio::io_context context{1};
    Recorder recorder;
};

struct Bell : Watched {
    int rung = 0;
    std::function<void()> then;
    void expire() override {
        ++rung;
        if (then) then();
    }
};

}  // namespace

TEST_F(Net, a_task_that_throws_is_reported_and_leaves_the_group) {
    TaskGroup group(context, recorder);
    group.spawn("a test", throw_it());
    EXPECT_EQ(group.running(), 1U);
    context.run();
    EXPECT_EQ(recorder.fallen, std::vector<std::string>{"a test: broken"});
    EXPECT_EQ(group.running(), 0U);
}

TEST_F(Net, a_cancelled_group_ends_without_a_report) {
    TaskGroup group(context, recorder);
    for (int i = 0; i < 3; ++i) group.spawn("sleeper", i == 0 ? sleep_long() : sleep_twice());
    context.poll();
    EXPECT_EQ(group.running(), 3U);
    group.cancel();
    context.run();
    EXPECT_EQ(group.running(), 0U);
    EXPECT_TRUE(recorder.fallen.empty());
}

TEST_F(Net, waiting_for_a_group_ends_with_its_last_task_or_the_deadline) {
    TaskGroup group(context, recorder);
    group.spawn("sleeper", sleep_long());
    bool early = true, late = false;
    asio::co_spawn(context, wait_for_group(group, {now() + 5ms}, early), asio::detached);
    asio::co_spawn(context, wait_for_group(group, {now() + 1h}, late), asio::detached);
    context.run_for(50ms);
    EXPECT_FALSE(early);
    EXPECT_FALSE(late);
    group.cancel();
    context.run();
    EXPECT_TRUE(late);
}

TEST_F(Net, a_group_may_go_before_its_tasks) {
    {
        TaskGroup group(context, recorder);
        group.spawn("sleeper", sleep_long());
        context.poll();
    }
    context.run();
    EXPECT_TRUE(recorder.fallen.empty());
}

TEST_F(Net, a_loop_that_goes_takes_its_tasks_along) {
    auto own = std::make_unique<asio::io_context>(1);
    auto group = std::make_unique<TaskGroup>(*own, recorder);
    group->spawn("sleeper", sleep_long());
    group->spawn("sleeper", sleep_twice());
    own->poll();
    group.reset();
    own.reset();
    EXPECT_TRUE(recorder.fallen.empty());
}

TEST_F(Net, the_watchdog_expires_once_per_deadline) {
    Watchdog watchdog(context, 1ms);
    Bell passed, future;
    passed.deadline = {now()};
    future.deadline = {now() + 1h};
    auto first = watchdog.watch(passed), second = watchdog.watch(future);
    context.run_for(20ms);
    EXPECT_EQ(passed.rung, 1);
    EXPECT_EQ(future.rung, 0);
    passed.deadline = {now()};
    context.run_for(20ms);
    EXPECT_EQ(passed.rung, 2);
}

TEST_F(Net, expiring_may_end_its_own_watch_and_that_of_others) {
    Watchdog watchdog(context, 1ms);
    std::vector<Bell> bells(4);
    std::vector<std::unique_ptr<Watchdog::Handle>> handles;
    for (Bell& bell : bells) {
        bell.deadline = {now()};
        bell.then = [&] { handles.clear(); };
        handles.push_back(watchdog.watch(bell));
    }
    context.run();  // returns: nothing is watched any more, so nothing ticks
    int rung = 0;
    for (const Bell& bell : bells) rung += bell.rung;
    EXPECT_EQ(rung, 1);
}

TEST_F(Net, a_handle_may_outlive_its_watchdog) {
    auto watchdog = std::make_unique<Watchdog>(context, 1ms);
    Bell bell;
    bell.deadline = {now()};
    auto handle = watchdog->watch(bell);
    watchdog.reset();
    context.run();
    EXPECT_EQ(bell.rung, 0);
}

TEST_F(Net, a_signal_wakes_all_that_wait_and_is_not_remembered) {
    Signal signal(context);
    std::vector<bool> results;
    signal.notify_all();
    asio::co_spawn(context, wait_for_signal(signal, {now() + 1h}, results), asio::detached);
    asio::co_spawn(context, wait_for_signal(signal, {}, results), asio::detached);
    asio::co_spawn(context, wait_for_signal(signal, {now() + 1ms}, results), asio::detached);
    context.run_for(30ms);
    EXPECT_EQ(results, std::vector<bool>{false});
    signal.notify_all();
    context.run();
    EXPECT_EQ(results, (std::vector<bool>{false, true, true}));
}

TEST_F(Net, what_a_side_thread_has_done_is_finished_on_the_loop) {
    SideThread side(context);
    const auto loop = std::this_thread::get_id();
    std::thread::id worked, finished;
    ASSERT_TRUE(side.run([&] { worked = std::this_thread::get_id(); }, [&] { finished = std::this_thread::get_id(); }));
    EXPECT_EQ(side.waiting(), 1U);
    auto busy = asio::make_work_guard(context);
    while (finished == std::thread::id()) context.run_one();
    EXPECT_NE(worked, loop);
    EXPECT_EQ(finished, loop);
    EXPECT_EQ(side.waiting(), 0U);
}

TEST_F(Net, a_side_thread_takes_no_more_than_it_may_hold_and_goes_with_what_waits) {
    SideThread side(context);
    std::promise<void> go;
    auto gone = go.get_future().share();
    std::size_t taken = 0;
    while (side.run([gone] { gone.wait(); }, [] {})) ++taken;
    EXPECT_EQ(taken, SideThread::waiting_max);
    go.set_value();
}

}  // namespace millrace::net
